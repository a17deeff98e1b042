//! Weights by a formula, so that a network of full size needs no file.

use medcert::lab::model::params::Declared;

/// The weights of `make.py`'s `fill`.
pub fn fill(parameter: &Declared) -> Vec<f32> {
    let name = parameter.name.as_bytes();
    let key =
        name.iter().fold(2_166_136_261_u32, |key, &byte| (key ^ u32::from(byte)).wrapping_mul(16_777_619));
    let count: usize = parameter.shape.iter().product();
    let value = |index: usize| {
        let mixed = (index as u32).wrapping_mul(2_654_435_761).wrapping_add(key);
        let mixed = (mixed ^ (mixed >> 15)).wrapping_mul(2_246_822_519);
        (f64::from(mixed) / 4_294_967_296.0 - 0.5) as f32
    };
    let values = (0..count).map(value);
    if parameter.shape.len() > 1 {
        let fan = count / parameter.shape[0];
        let scale = (24.0 / fan as f64).sqrt() as f32;
        values.map(|v| v * scale).collect()
    } else if parameter.name.ends_with("running_var") {
        values.map(|v| 1.0 + 0.4 * v).collect()
    } else if parameter.name.ends_with("weight") {
        values.map(|v| 0.4 + 0.2 * v).collect()
    } else {
        values.map(|v| v * 0.4).collect()
    }
}
