//! Placing labels so that none covers another, a line, or the edge.

/// A box in pixels.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) struct Rect {
    pub(super) left: f64,
    pub(super) top: f64,
    pub(super) right: f64,
    pub(super) bottom: f64,
}

impl Rect {
    pub(super) fn width(&self) -> f64 {
        self.right - self.left
    }

    pub(super) fn height(&self) -> f64 {
        self.bottom - self.top
    }

    pub(super) fn overlaps(&self, other: &Rect) -> bool {
        self.left < other.right
            && other.left < self.right
            && self.top < other.bottom
            && other.top < self.bottom
    }

    pub(super) fn holds(&self, other: &Rect) -> bool {
        self.left <= other.left
            && other.right <= self.right
            && self.top <= other.top
            && other.bottom <= self.bottom
    }

    pub(super) fn grown(&self, by: f64) -> Rect {
        Rect {
            left: self.left - by,
            top: self.top - by,
            right: self.right + by,
            bottom: self.bottom + by,
        }
    }

    /// Whether the segment from `a` to `b` touches the box (Liang and Barsky's clipping).
    fn meets(&self, a: (f64, f64), b: (f64, f64)) -> bool {
        let (dx, dy) = (b.0 - a.0, b.1 - a.1);
        let mut span = (0.0_f64, 1.0_f64);
        let sides = [
            (-dx, a.0 - self.left),
            (dx, self.right - a.0),
            (-dy, a.1 - self.top),
            (dy, self.bottom - a.1),
        ];
        for (p, q) in sides {
            if p == 0.0 {
                if q < 0.0 {
                    return false;
                }
            } else if p < 0.0 {
                span.0 = span.0.max(q / p);
            } else {
                span.1 = span.1.min(q / p);
            }
        }
        span.0 <= span.1
    }
}

/// What a new label must keep clear of.
pub(super) struct Obstacles {
    within: Rect,
    boxes: Vec<Rect>,
    segments: Vec<((f64, f64), (f64, f64))>,
}

impl Obstacles {
    /// Labels stay inside `within`.
    pub(super) fn new(within: Rect) -> Self {
        Self {
            within,
            boxes: Vec::new(),
            segments: Vec::new(),
        }
    }

    pub(super) fn add_box(&mut self, area: Rect) {
        self.boxes.push(area);
    }

    pub(super) fn add_path(&mut self, points: &[(f64, f64)]) {
        self.segments
            .extend(points.windows(2).filter_map(|pair| match pair {
                [a, b] => Some((*a, *b)),
                _ => None,
            }));
    }

    /// Whether a label may stand here.
    pub(super) fn free(&self, area: &Rect) -> bool {
        let room = area.grown(1.5);
        self.within.holds(area)
            && !self.boxes.iter().any(|b| b.overlaps(&room))
            && !self.segments.iter().any(|(a, b)| room.meets(*a, *b))
    }

    /// Takes the first of the `candidates` that is free.
    pub(super) fn take<T>(
        &mut self,
        candidates: impl IntoIterator<Item = T>,
        bounds: impl Fn(&T) -> Rect,
    ) -> Option<T> {
        let chosen = candidates.into_iter().find(|c| self.free(&bounds(c)))?;
        self.add_box(bounds(&chosen));
        Some(chosen)
    }
}

/// Centres for labels of the given (wanted centre, height), in the order given, which must be from top to
/// bottom: as near to where they are wanted as lets none overlap, between `top` and `bottom`.
///
/// Labels that meet are pooled into a block around their common mean, as in isotonic regression.
pub(super) fn spread(wanted: &[(f64, f64)], top: f64, bottom: f64) -> Vec<f64> {
    struct Block {
        start: f64,
        height: f64,
        count: usize,
    }
    let clamp = |start: f64, height: f64| start.min(bottom - height).max(top);
    let mut blocks: Vec<Block> = Vec::new();
    for (centre, height) in wanted {
        let mut block = Block {
            start: clamp(centre - height / 2.0, *height),
            height: *height,
            count: 1,
        };
        while let Some(above) = blocks.pop() {
            if above.start + above.height <= block.start {
                blocks.push(above);
                break;
            }
            // The weighted mean of where both blocks would begin, had they been one.
            let (m, n) = (above.count as f64, block.count as f64);
            let start = (above.start * m + (block.start - above.height) * n) / (m + n);
            let height = above.height + block.height;
            block = Block {
                start: clamp(start, height),
                height,
                count: above.count + block.count,
            };
        }
        blocks.push(block);
    }
    let mut centres = Vec::with_capacity(wanted.len());
    let mut heights = wanted.iter().map(|w| w.1);
    for block in blocks {
        let mut edge = block.start;
        for height in heights.by_ref().take(block.count) {
            centres.push(edge + height / 2.0);
            edge += height;
        }
    }
    centres
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn labels_that_would_meet_are_pushed_apart() {
        let centres = spread(
            &[(10.0, 10.0), (12.0, 10.0), (50.0, 10.0), (99.0, 10.0)],
            0.0,
            100.0,
        );
        assert_eq!(centres, vec![6.0, 16.0, 50.0, 95.0]);
        let full = spread(&[(90.0, 10.0); 10], 0.0, 100.0);
        assert!(
            full.windows(2).all(|w| (w[1] - w[0] - 10.0).abs() < 1e-9),
            "{full:?}"
        );
        assert!((full[0] - 5.0).abs() < 1e-9);
    }

    #[test]
    fn a_segment_through_a_box_is_seen() {
        let area = Rect {
            left: 0.0,
            top: 0.0,
            right: 10.0,
            bottom: 10.0,
        };
        assert!(area.meets((-5.0, 5.0), (15.0, 6.0)));
        assert!(!area.meets((-5.0, 12.0), (15.0, 12.0)));
        assert!(!area.meets((11.0, -5.0), (30.0, 15.0)));
    }
}
