//! Reads a header from the comment lines of a query.

use super::{ChartLine, Column, Header, HeaderError, Parameter, Placement, Type};

const KEYS: [&str; 9] = [
    "params", "columns", "grain", "chart", "finding", "subtitle", "report", "privacy", "assert",
];

impl Header {
    /// Reads the header of a query's text.
    pub fn parse(sql: &str) -> Result<Self, HeaderError> {
        let mut header = Header {
            placement: Some(Placement::default()),
            ..Header::default()
        };
        for (number, line) in sql.lines().enumerate() {
            let line = line.trim();
            if let Some(text) = line.strip_prefix("---") {
                header.describe(text.trim());
            } else if let Some(text) = line.strip_prefix("--!") {
                header
                    .read(text.trim())
                    .map_err(|problem| HeaderError::Line {
                        line: number + 1,
                        text: text.trim().to_owned(),
                        problem,
                    })?;
            }
        }
        if header.title.is_empty() {
            return Err(HeaderError::Missing("--- description"));
        }
        if header.columns.is_empty() {
            return Err(HeaderError::Missing("--! columns:"));
        }
        header.check_names()?;
        Ok(header)
    }

    fn describe(&mut self, text: &str) {
        if self.title.is_empty() {
            text.clone_into(&mut self.title);
        } else if !text.is_empty() {
            self.method.push(text.to_owned());
        }
    }

    fn read(&mut self, text: &str) -> Result<(), String> {
        let (key, value) = text
            .split_once(':')
            .ok_or("has no colon; write `--! key: value`")?;
        let value = value.trim();
        match key.trim() {
            "params" => {
                self.parameters = list(value)
                    .map(|p| parameter(&p))
                    .collect::<Result<_, _>>()?
            }
            "columns" => {
                self.columns = list(value).map(|c| column(&c)).collect::<Result<_, _>>()?
            }
            "grain" => self.grain = list(value).collect(),
            "chart" => self.chart = ChartLine::parse(value)?,
            "finding" => self.finding = Some(value.to_owned()),
            "subtitle" => self.subtitle = Some(value.to_owned()),
            "report" => self.placement = placement(value)?,
            "privacy" => self.privacy = list(value).filter(|c| c != "none").collect(),
            "assert" if value.is_empty() => {
                return Err("has no expression; write `--! assert: a = b + c`".to_owned());
            }
            "assert" => self.asserts.push(value.to_owned()),
            other => {
                return Err(format!(
                    "has the unknown key `{other}`; the keys are {}",
                    KEYS.join(", ")
                ));
            }
        }
        Ok(())
    }

    /// Names in `grain`, `privacy` and `chart` must be columns: a misspelt one would go unnoticed.
    fn check_names(&self) -> Result<(), HeaderError> {
        let mut names: Vec<&str> = self.parameters.iter().map(|p| p.name.as_str()).collect();
        names.sort_unstable();
        if let Some(twice) = names.windows(2).find(|w| w[0] == w[1]) {
            return Err(HeaderError::Line {
                line: 1,
                text: twice[0].to_owned(),
                problem: "is declared twice under `params`".to_owned(),
            });
        }

        let is_column = |name: &str| self.columns.iter().any(|c| c.name == name);
        let drawn = self.chart.iter().flat_map(ChartLine::all_columns);
        match self
            .grain
            .iter()
            .chain(&self.privacy)
            .map(String::as_str)
            .chain(drawn)
            .find(|name| !is_column(name))
        {
            None => Ok(()),
            Some(name) => Err(HeaderError::Line {
                line: 1,
                text: name.to_owned(),
                problem: format!(
                    "is named in the header but is no column; the columns are {}",
                    self.columns
                        .iter()
                        .map(|c| c.name.as_str())
                        .collect::<Vec<_>>()
                        .join(", ")
                ),
            }),
        }
    }
}

fn list(value: &str) -> impl Iterator<Item = String> + '_ {
    value
        .split(',')
        .map(|s| s.trim().to_owned())
        .filter(|s| !s.is_empty())
}

fn named_type(text: &str) -> Result<(String, Type), String> {
    let mut words = text.split_whitespace();
    let (Some(name), Some(kind), None) = (words.next(), words.next(), words.next()) else {
        return Err(format!(
            "has `{text}`, which is not a name and a type, such as `month DATE`"
        ));
    };
    let kind = Type::parse(kind).ok_or_else(|| format!("has the unknown type `{kind}`; the types are DATE, TEXT, BIGINT, DOUBLE, BOOLEAN and TEXT[]"))?;
    Ok((name.to_owned(), kind))
}

fn parameter(text: &str) -> Result<Parameter, String> {
    let (declared, default) = match text.split_once('=') {
        Some((declared, default)) => (declared, Some(default.trim().trim_matches('\'').to_owned())),
        None => (text, None),
    };
    let (name, kind) = named_type(declared)?;
    const TAKEN: [&str; 7] = [
        "help", "format", "output", "log", "theme", "size", "threads",
    ];
    if TAKEN.contains(&name.as_str()) {
        return Err(format!(
            "has a parameter `{name}`, which is an option of the command itself; give it another name"
        ));
    }
    Ok(Parameter {
        name,
        kind,
        default,
    })
}

fn column(text: &str) -> Result<Column, String> {
    named_type(text).map(|(name, kind)| Column { name, kind })
}

fn placement(value: &str) -> Result<Option<Placement>, String> {
    if value == "none" {
        return Ok(None);
    }
    let mut placement = Placement::default();
    for word in value.split_whitespace() {
        match word.split_once('=') {
            Some(("section", section)) => section.clone_into(&mut placement.section),
            Some(("order", order)) => {
                placement.order = order
                    .parse()
                    .map_err(|_| format!("has the order `{order}`, which is no whole number"))?
            }
            Some(("only", "by_dimension")) => placement.by_dimension_only = true,
            _ => {
                return Err(format!(
                    "has `{word}`; write `section=NAME order=N`, perhaps `only=by_dimension`, or `none`"
                ));
            }
        }
    }
    Ok(Some(placement))
}

#[cfg(test)]
mod tests {
    use super::*;

    const SQL: &str = "--- Who leads.\n--- By what is known.\n--! params:  month DATE, platforms TEXT[] = all, metric TEXT = 'mau'\n--! columns: platform TEXT, mau BIGINT\n--! grain:   platform\n--! chart:   bars x=mau y=platform x_title=\"two words\"\n--! report:  section=rivals order=3\n--! privacy: mau\nSELECT 1";

    #[test]
    fn a_header_is_read() {
        let header = Header::parse(SQL).unwrap();
        assert_eq!(header.title, "Who leads.");
        assert_eq!(
            header.parameters[1],
            Parameter {
                name: "platforms".into(),
                kind: Type::TextList,
                default: Some("all".into())
            }
        );
        assert_eq!(header.parameters[2].default.as_deref(), Some("mau"));
        assert_eq!(header.chart.unwrap().settings["x_title"], "two words");
        assert_eq!(
            header.placement,
            Some(Placement {
                section: "rivals".into(),
                order: 3,
                by_dimension_only: false,
            })
        );
    }

    #[test]
    fn every_assert_is_kept_as_it_is_written() {
        let sql = SQL.replace(
            "--! privacy",
            "--! assert: mau >= 0\n--! assert: mau::INT < 5\n--! privacy",
        );
        assert_eq!(
            Header::parse(&sql).unwrap().asserts,
            ["mau >= 0", "mau::INT < 5"]
        );
    }

    #[test]
    fn a_misspelt_key_type_or_column_is_named() {
        let error = |from: &str, to: &str| {
            Header::parse(&SQL.replace(from, to))
                .unwrap_err()
                .to_string()
        };
        assert!(
            error("privacy:", "privcy:").contains("line 8")
                && error("privacy:", "privcy:").contains("`privcy`")
        );
        assert!(error("BIGINT", "BIGNIT").contains("`BIGNIT`"));
        assert!(error("y=platform", "y=platfrom").contains("`platfrom`"));
        assert!(error("--! privacy: mau", "--! assert:").contains("no expression"));
        assert!(error("--! grain:   platform", "--! grain:   platfrom").contains("`platfrom`"));
        assert!(
            error("--- Who leads.\n--- By what is known.\n", "").contains("no `--- description`")
        );
    }
}
