//! PNG from the very SVG that is published, painted by resvg with the embedded faces and no others.

use std::sync::Arc;

use resvg::tiny_skia::{Pixmap, Transform};
use resvg::usvg::{Options, Tree, fontdb};

use super::{ChartError, font};

/// Longest side of a picture in pixels: 16 k, beyond which viewers give up.
const LONGEST: f32 = 16_384.0;

/// Paints `svg` with `scale` dots to the pixel.
pub fn png(svg: &str, scale: f32) -> Result<Vec<u8>, ChartError> {
    let mut faces = fontdb::Database::new();
    faces.load_font_data(font::REGULAR.to_vec());
    faces.load_font_data(font::SEMIBOLD.to_vec());
    faces.set_sans_serif_family(font::FACE);
    let options = Options {
        fontdb: Arc::new(faces),
        font_family: font::FACE.to_owned(),
        ..Options::default()
    };
    let tree = Tree::from_str(svg, &options).map_err(|e| ChartError::Png(e.to_string()))?;
    let (width, height) = (tree.size().width() * scale, tree.size().height() * scale);
    let fits = |side: f32| (1.0..=LONGEST).contains(&side);
    if !(fits(width) && fits(height)) {
        return Err(ChartError::Png(format!(
            "a picture of {width} by {height} pixels is out of range"
        )));
    }
    let mut pixels = Pixmap::new(width.round() as u32, height.round() as u32)
        .ok_or_else(|| ChartError::Png("no memory for the picture".to_owned()))?;
    resvg::render(
        &tree,
        Transform::from_scale(scale, scale),
        &mut pixels.as_mut(),
    );
    pixels
        .encode_png()
        .map_err(|e| ChartError::Png(e.to_string()))
}
