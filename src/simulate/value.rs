//! The countries and clients, and how many users have them.

/// Countries by ISO 3166-1, the most common first.
pub(super) const COUNTRIES: [&str; 50] = [
    "IN", "BR", "US", "ID", "RU", "MX", "DE", "IR", "TR", "IT", "ES", "GB", "NG", "EG", "FR", "PK",
    "SA", "ZA", "CO", "AR", "UA", "PL", "UZ", "MY", "KE", "NL", "IQ", "PE", "CL", "KZ", "MA", "BD",
    "PH", "TH", "VN", "CA", "AU", "SE", "CH", "PT", "GR", "IL", "AE", "SG", "JP", "KR", "NO", "IE",
    "NZ", "IS",
];

/// Clients, the most common first.
pub(super) const CLIENTS: [&str; 4] = ["android", "ios", "desktop", "web"];

/// How many users have each client, as shares.
const CLIENT_SHARES: [f64; 4] = [0.64, 0.24, 0.07, 0.05];

/// Values by their shares: as many places of the list hold a value as its share says.
#[derive(Debug, Clone)]
pub(super) struct Shares(Vec<u8>);

impl Shares {
    /// Countries: a country's share falls with its rank (Zipf's law).
    pub(super) fn of_countries() -> Self {
        let weights: Vec<f64> = (0..COUNTRIES.len())
            .map(|rank| (rank as f64 + 2.0).powf(-1.2))
            .collect();
        Shares::of(&weights)
    }

    /// Clients.
    pub(super) fn of_clients() -> Self {
        Shares::of(&CLIENT_SHARES)
    }

    fn of(weights: &[f64]) -> Self {
        const PLACES: usize = 4096;
        let total: f64 = weights.iter().sum();
        let mut places = Vec::with_capacity(PLACES);
        let mut sum = 0.0;
        for (value, weight) in weights.iter().enumerate() {
            sum += weight / total;
            let end = (sum * PLACES as f64).round() as usize;
            places.resize(end.min(PLACES), value as u8);
        }
        places.resize(PLACES, 0);
        Shares(places)
    }

    /// The value that twelve random bits mean.
    pub(super) fn pick(&self, bits: u64) -> u8 {
        self.0[(bits & 0xfff) as usize]
    }
}
