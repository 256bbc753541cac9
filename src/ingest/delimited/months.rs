//! The names of months and weekdays in many languages, from the locales of the C library.

use std::collections::{HashMap, HashSet};
use std::sync::LazyLock;

use pure_rust_locales::{Locale, locale_match};

/// One locale a language. The first that knows a name is not preferred: a name that is one month
/// in one language and another in the next (`listopad`) is settled by the other names of its column.
const LANGUAGES: &[Locale] = &[
    Locale::en_US,
    Locale::de_DE,
    Locale::de_AT,
    Locale::fr_FR,
    Locale::es_ES,
    Locale::pt_BR,
    Locale::it_IT,
    Locale::nl_NL,
    Locale::ca_ES,
    Locale::gl_ES,
    Locale::eu_ES,
    Locale::ro_RO,
    Locale::sv_SE,
    Locale::da_DK,
    Locale::nb_NO,
    Locale::nn_NO,
    Locale::is_IS,
    Locale::fi_FI,
    Locale::et_EE,
    Locale::lv_LV,
    Locale::lt_LT,
    Locale::pl_PL,
    Locale::cs_CZ,
    Locale::sk_SK,
    Locale::sl_SI,
    Locale::hr_HR,
    Locale::sr_RS,
    Locale::bs_BA,
    Locale::mk_MK,
    Locale::bg_BG,
    Locale::ru_RU,
    Locale::uk_UA,
    Locale::be_BY,
    Locale::hu_HU,
    Locale::el_GR,
    Locale::tr_TR,
    Locale::az_AZ,
    Locale::kk_KZ,
    Locale::ka_GE,
    Locale::hy_AM,
    Locale::sq_AL,
    Locale::id_ID,
    Locale::ms_MY,
    Locale::vi_VN,
    Locale::th_TH,
    Locale::he_IL,
    Locale::ar_EG,
    Locale::ar_SY,
    Locale::fa_IR,
    Locale::hi_IN,
    Locale::bn_BD,
    Locale::sw_KE,
    Locale::af_ZA,
    Locale::cy_GB,
    Locale::ga_IE,
];

/// Which languages call which month by a name: a bit a language.
type Called = [u64; 12];

static MONTHS: LazyLock<HashMap<String, Called>> = LazyLock::new(|| {
    let mut names: HashMap<String, Called> = HashMap::new();
    for (place, locale) in LANGUAGES.iter().enumerate() {
        let of = |alternative: Option<&'static [&'static str]>| alternative.unwrap_or(&[]);
        let lists: [&[&str]; 4] = [
            locale_match!(*locale => LC_TIME::MON),
            locale_match!(*locale => LC_TIME::ABMON),
            of(locale_match!(*locale => LC_TIME::ALT_MON)),
            of(locale_match!(*locale => LC_TIME::AB_ALT_MON)),
        ];
        for list in lists {
            for (month, name) in list.iter().enumerate().take(12) {
                let called = names.entry(folded(name)).or_default();
                if let Some(languages) = called.get_mut(month) {
                    *languages |= 1 << place;
                }
            }
        }
    }
    // In glibc September is `Sep` in English; `Sept` is as common.
    if let Some(september) = names.get("sep").copied() {
        names.entry("sept".to_owned()).or_insert(september);
    }
    names.retain(|name, _| name.chars().any(char::is_alphabetic));
    names
});

static WEEKDAYS: LazyLock<HashSet<String>> = LazyLock::new(|| {
    let lists = LANGUAGES.iter().flat_map(|locale| {
        [
            locale_match!(*locale => LC_TIME::DAY),
            locale_match!(*locale => LC_TIME::ABDAY),
        ]
    });
    let names = lists.flat_map(|list| list.iter().map(|name| folded(name)));
    names
        .filter(|name| name.chars().any(char::is_alphabetic))
        .collect()
});

/// A name as it is compared: small letters, without a full stop behind it.
fn folded(name: &str) -> String {
    name.trim().trim_end_matches('.').to_lowercase()
}

/// All languages.
pub(super) const ANY: u64 = u64::MAX;

/// Which languages know a name, if it is a month's.
pub(super) fn languages(name: &str) -> Option<u64> {
    let called = MONTHS.get(&folded(name))?;
    Some(called.iter().fold(0, |all, languages| all | languages))
}

/// The month that some of the languages call by a name, from 1; none where they disagree.
pub(super) fn month(name: &str, among: u64) -> Option<u32> {
    let called = MONTHS.get(&folded(name))?;
    let mut months = (1..).zip(called).filter(|(_, by)| **by & among != 0);
    let (month, _) = months.next()?;
    months.next().is_none().then_some(month)
}

/// Whether it is the name of a weekday.
pub(super) fn weekday(name: &str) -> bool {
    WEEKDAYS.contains(&folded(name))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn months_are_known_in_many_languages() {
        for (name, number) in [
            ("February", 2),
            ("feb", 2),
            ("Feb.", 2),
            ("Sept", 9),
            ("Februar", 2),
            ("Jänner", 1),
            ("März", 3),
            ("février", 2),
            ("févr.", 2),
            ("febrero", 2),
            ("fevereiro", 2),
            ("февраля", 2),
            ("февраль", 2),
            ("února", 2),
            ("Şubat", 2),
            ("lutego", 2),
        ] {
            assert_eq!(month(name, ANY), Some(number), "{name}");
        }
        assert_eq!(month("users", ANY), None);
        assert!(weekday("Tuesday") && weekday("mardi") && !weekday("users"));
        assert!(LANGUAGES.len() <= 64, "a bit a language");
    }

    #[test]
    fn a_name_of_two_months_is_settled_by_the_language() {
        // November in Polish and Czech, October in Croatian.
        assert_eq!(month("listopad", ANY), None);
        let polish = languages("lutego").unwrap();
        assert_eq!(month("listopad", polish), Some(11));
        let croatian = languages("veljača").unwrap();
        assert_eq!(month("listopad", croatian), Some(10));
    }
}
