//! The header of a query: what it answers, takes and gives.
//!
//! ```sql
//! --- Monthly active users per platform, with the age of each figure.
//! --! params:  month DATE, platforms TEXT[] = all
//! --! columns: platform TEXT, mau BIGINT
//! --! grain:   platform
//! --! chart:   bars x=mau y=platform
//! --! privacy: mau
//! --! assert:  mau >= 0
//! ```

mod parsing;

use std::fmt;

use arrow::datatypes::{DataType, Field};

pub use super::chart_line::ChartLine;

/// A type that a parameter or column may have.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Type {
    /// A calendar day.
    Date,
    /// Text.
    Text,
    /// A whole number.
    BigInt,
    /// A floating-point number.
    Double,
    /// True or false.
    Boolean,
    /// A list of texts.
    TextList,
}

impl Type {
    fn parse(text: &str) -> Option<Self> {
        Some(match text.to_ascii_uppercase().as_str() {
            "DATE" => Type::Date,
            "TEXT" => Type::Text,
            "BIGINT" => Type::BigInt,
            "DOUBLE" => Type::Double,
            "BOOLEAN" => Type::Boolean,
            "TEXT[]" => Type::TextList,
            _ => return None,
        })
    }

    /// The Arrow type of a column or bound parameter of this type.
    pub fn arrow(self) -> DataType {
        match self {
            Type::Date => DataType::Date32,
            Type::Text => DataType::Utf8,
            Type::BigInt => DataType::Int64,
            Type::Double => DataType::Float64,
            Type::Boolean => DataType::Boolean,
            Type::TextList => DataType::List(Field::new_list_field(DataType::Utf8, true).into()),
        }
    }
}

impl fmt::Display for Type {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Type::Date => "DATE",
            Type::Text => "TEXT",
            Type::BigInt => "BIGINT",
            Type::Double => "DOUBLE",
            Type::Boolean => "BOOLEAN",
            Type::TextList => "TEXT[]",
        })
    }
}

/// One parameter: bound by name, never pasted.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Parameter {
    /// Its name, without `$` or `--`.
    pub name: String,
    /// Its type.
    pub kind: Type,
    /// The text of its default; without one it must be given.
    pub default: Option<String>,
}

/// One column that the query gives.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Column {
    /// Its name.
    pub name: String,
    /// Its type.
    pub kind: Type,
}

/// Where in the report the query stands.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Placement {
    /// The section's name.
    pub section: String,
    /// Its place within the section.
    pub order: i64,
    /// Whether it is asked by each dimension only, and not for all users together.
    pub by_dimension_only: bool,
}

impl Default for Placement {
    /// Where a query stands that does not say: near the end, with what has no section of its own.
    fn default() -> Self {
        Placement {
            section: "more".into(),
            order: 1000,
            by_dimension_only: false,
        }
    }
}

/// The parsed header.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Header {
    /// The first line of the description.
    pub title: String,
    /// The lines after it.
    pub method: Vec<String>,
    /// What it takes.
    pub parameters: Vec<Parameter>,
    /// What it gives.
    pub columns: Vec<Column>,
    /// The columns that no two rows share.
    pub grain: Vec<String>,
    /// How it is drawn, if it is.
    pub chart: Option<ChartLine>,
    /// The template of the sentence that says what was found.
    pub finding: Option<String>,
    /// What is measured.
    pub subtitle: Option<String>,
    /// Where in the report it stands: `None` is nowhere.
    pub placement: Option<Placement>,
    /// The columns that count people.
    pub privacy: Vec<String>,
    /// Boolean SQL expressions over the columns that no row of an answer may make false.
    pub asserts: Vec<String>,
}

/// A header that can't be read.
#[derive(Debug, Clone, thiserror::Error, PartialEq, Eq)]
pub enum HeaderError {
    /// A line that is not understood.
    #[error("line {line}: `{text}` {problem}")]
    Line {
        /// The line of the file.
        line: usize,
        /// What stands there.
        text: String,
        /// What is wrong and what to write.
        problem: String,
    },
    /// A part that must be there.
    #[error(
        "has no `{0}`; the header says what a query answers, takes and gives: see queries/README.md"
    )]
    Missing(&'static str),
}

impl Header {
    /// A parameter by name.
    pub fn parameter(&self, name: &str) -> Option<&Parameter> {
        self.parameters.iter().find(|p| p.name == name)
    }
}
