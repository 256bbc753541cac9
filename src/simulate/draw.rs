//! Draws that depend on nothing but the seed and on whom they are for, so that any thread may make
//! them in any order.

/// The golden ratio in 64 bits, the step of [`Stream`].
const GOLDEN: u64 = 0x9e37_79b9_7f4a_7c15;

/// Steps of the three-dimensional Kronecker sequence R3 (Roberts, "The unreasonable effectiveness of
/// quasirandom sequences", 2018): powers of the inverse of the root of x^4 = x + 1, in 64 bits.
const STEPS: [u64; 3] = [
    0xd1b5_4a32_d192_ed03,
    0xabc9_8388_fb8f_ac03,
    0x8cb9_2ba7_2f3d_8dd7,
];

/// A bijection of 64 bits whose output looks random: the finaliser of SplitMix64 (Steele, Lea and
/// Flood, 2014).
pub(super) fn mix(x: u64) -> u64 {
    let x = (x ^ (x >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    let x = (x ^ (x >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
    x ^ (x >> 31)
}

/// 64 bits as a number in (0, 1).
pub(super) fn unit(bits: u64) -> f64 {
    ((bits >> 11) as f64 + 0.5) / (1u64 << 53) as f64
}

/// A stream of draws: SplitMix64.
#[derive(Debug, Clone, Copy)]
pub(super) struct Stream(u64);

impl Stream {
    /// The stream of whatever `name` names.
    pub(super) fn of(name: u64) -> Self {
        Stream(name)
    }

    /// The next 64 bits.
    pub(super) fn bits(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(GOLDEN);
        mix(self.0)
    }

    /// The next number in (0, 1).
    pub(super) fn unit(&mut self) -> f64 {
        unit(self.bits())
    }
}

/// What a seed makes of a user's number.
#[derive(Debug, Clone, Copy)]
pub(super) struct Keys {
    identity: [u64; 2],
    stream: u64,
    offsets: [u64; 3],
    order: u64,
}

impl Keys {
    /// The keys of a seed.
    pub(super) fn of(seed: u64) -> Self {
        let mut stream = Stream::of(mix(seed ^ GOLDEN));
        Keys {
            identity: [stream.bits(), stream.bits()],
            stream: stream.bits(),
            offsets: [stream.bits(), stream.bits(), stream.bits()],
            order: stream.bits(),
        }
    }

    /// The user's pseudonym: different numbers never share one.
    pub(super) fn identity(&self, number: u64) -> u64 {
        mix(mix(number.wrapping_add(self.identity[0])) ^ self.identity[1])
    }

    /// The user's own draws.
    pub(super) fn stream(&self, number: u64) -> Stream {
        Stream::of(mix(number.wrapping_mul(GOLDEN) ^ self.stream))
    }

    /// The user's trait number 0, 1 or 2, in (0, 1). Over any run of user numbers the traits are
    /// spread evenly, far more evenly than random ones: so a small sample tells what all will do.
    pub(super) fn even(&self, number: u64, which: usize) -> f64 {
        let (step, offset) = (STEPS[which % 3], self.offsets[which % 3]);
        unit(number.wrapping_mul(step).wrapping_add(offset))
    }

    /// The draws by which group `group` of users is put in order.
    pub(super) fn order(&self, group: u64) -> Stream {
        Stream::of(mix(group ^ self.order))
    }
}

/// A random order of `0..len` that needs no memory.
#[derive(Debug, Clone, Copy)]
pub(super) struct Order {
    len: u64,
    mask: u64,
    half: u32,
    key: u64,
}

impl Order {
    /// The order that `key` names.
    pub(super) fn new(len: u64, key: u64) -> Self {
        let bits = (u64::BITS - len.saturating_sub(1).leading_zeros()).max(2);
        let mask = u64::MAX >> (u64::BITS - bits);
        Order {
            len,
            mask,
            half: bits.div_ceil(2),
            key,
        }
    }

    /// What stands at `place`, which lies below the length. Values beyond the length are sent round
    /// again (cycle walking), which ends since each round is a bijection of the power of two.
    pub(super) fn at(&self, place: u64) -> u64 {
        let mut x = place;
        loop {
            for (turn, step) in STEPS.iter().enumerate() {
                x = x.wrapping_add(self.key >> (turn * 16)) & self.mask;
                x = x.wrapping_mul(*step) & self.mask;
                x ^= x >> self.half;
            }
            if x < self.len {
                return x;
            }
        }
    }
}

/// The quantile of the standard normal distribution at `p` in (0, 1), to 1e-9 (Acklam's rational
/// approximation).
pub(super) fn probit(p: f64) -> f64 {
    const A: [f64; 6] = [
        -3.969_683_028_665_376e1,
        2.209_460_984_245_205e2,
        -2.759_285_104_469_687e2,
        1.383_577_518_672_69e2,
        -3.066_479_806_614_716e1,
        2.506_628_277_459_239,
    ];
    const B: [f64; 5] = [
        -5.447_609_879_822_406e1,
        1.615_858_368_580_409e2,
        -1.556_989_798_598_866e2,
        6.680_131_188_771_972e1,
        -1.328_068_155_288_572e1,
    ];
    let q = p - 0.5;
    if q.abs() <= 0.475_75 {
        let r = q * q;
        let over = A.iter().fold(0.0, |sum, a| sum * r + a);
        let under = B.iter().fold(0.0, |sum, b| sum * r + b) * r + 1.0;
        return over * q / under;
    }
    let tail = tail(p.min(1.0 - p));
    if q < 0.0 { tail } else { -tail }
}

/// The quantile below the 2.425th percentile.
fn tail(p: f64) -> f64 {
    const C: [f64; 6] = [
        -7.784_894_002_430_293e-3,
        -3.223_964_580_411_365e-1,
        -2.400_758_277_161_838,
        -2.549_732_539_343_734,
        4.374_664_141_464_968,
        2.938_163_982_698_783,
    ];
    const D: [f64; 4] = [
        7.784_695_709_041_462e-3,
        3.224_671_290_700_398e-1,
        2.445_134_137_142_996,
        3.754_408_661_907_416,
    ];
    let q = (-2.0 * p.ln()).sqrt();
    let over = C.iter().fold(0.0, |sum, c| sum * q + c);
    let under = D.iter().fold(0.0, |sum, d| sum * q + d) * q + 1.0;
    over / under
}
