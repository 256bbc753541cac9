//! The words that stand on everything made from made-up data.

/// What charts, reports and tables say of platforms whose data are simulated; nothing where none are.
pub fn simulated(platforms: &[String]) -> Option<String> {
    (!platforms.is_empty()).then(|| format!("Simulated data: {}", platforms.join(", ")))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_simulated_data_are_stamped() {
        assert_eq!(simulated(&[]), None);
        let said = simulated(&["A".to_owned(), "B".to_owned()]);
        assert_eq!(said.as_deref(), Some("Simulated data: A, B"));
    }
}
