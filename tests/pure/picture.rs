//! Clinical corruptions: their laws, closed forms and severities.

use std::path::PathBuf;

use medcert::data::phantom;
use medcert::picture::film::{SIDE_MM, grey, signal};
use medcert::picture::marker::{MARKER_MM, Stamp};
use medcert::picture::{
    Film, amount, bits, blur, collimation, corrupt, device, exposure, geometry, noise, scatter, window,
};
use medcert::random::{stream, uniform};
use medcert::spec::{Corruption, Views};
use proptest::prelude::*;

/// Frontal phantoms, in [0, 1].
fn phantoms(count: usize, side: usize) -> Vec<Vec<f32>> {
    let studies = phantom::studies(count.max(20), 7, 0.0);
    let studies: Vec<_> = studies.iter().take(count).collect();
    let pixels = medcert::data::pixels(&studies, Views::Frontal, side as u32, None).expect("phantoms");
    pixels
        .bytes
        .chunks_exact(side * side)
        .map(|bytes| bytes.iter().map(|&byte| f32::from(byte) / 255.0).collect())
        .collect()
}

/// A picture of independent pixels, up to white and black.
fn random_picture(side: usize, seed: u64) -> Vec<f32> {
    let mut rng = stream(&["picture", &seed.to_string()]);
    (0..side * side).map(|_| (1.2 * uniform(&mut rng) - 0.1).clamp(0.0, 1.0)).collect()
}

/// A picture of low frequencies between 0.2 and 0.8.
fn smooth_picture(side: usize, seed: u64) -> Vec<f32> {
    let mut rng = stream(&["smooth", &seed.to_string()]);
    let phases: Vec<f32> = (0..4).map(|_| 6.0 * uniform(&mut rng)).collect();
    let at = |place: usize| {
        let (x, y) = ((place % side) as f32 / side as f32, (place / side) as f32 / side as f32);
        let waves =
            (4.0 * x + phases[0]).sin() + (5.0 * y + phases[1]).sin() + (3.0 * (x - y) + phases[2]).sin();
        0.5 + 0.1 * waves
    };
    (0..side * side).map(at).collect()
}

fn film(pixels: &[f32], side: usize) -> Film<'_> {
    Film::new(pixels, side).expect("a film")
}

fn corrupted(pixels: &[f32], side: usize, corruption: Corruption, severity: u8, seed: u64) -> Vec<f32> {
    let mut rng = stream(&[corruption.name(), &seed.to_string()]);
    corrupt(pixels, side, corruption, severity, &mut rng).expect("a picture")
}

fn change(one: &[f32], other: &[f32]) -> f64 {
    one.iter().zip(other).map(|(a, b)| f64::from((a - b).abs())).sum::<f64>() / one.len() as f64
}

fn mean(values: &[f32]) -> f64 {
    values.iter().map(|&value| f64::from(value)).sum::<f64>() / values.len() as f64
}

fn variance(values: &[f32]) -> f64 {
    let mean = mean(values);
    values.iter().map(|&value| (f64::from(value) - mean).powi(2)).sum::<f64>() / values.len() as f64
}

fn bits_of(pixels: &[f32]) -> Vec<u32> {
    pixels.iter().map(|value| value.to_bits()).collect()
}

fn any_corruption() -> impl Strategy<Value = Corruption> {
    prop::sample::select(Corruption::ALL)
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(200))]

    #[test]
    fn what_comes_out_is_a_picture_and_repeats(side in 1_usize..40, seed in any::<u64>(), corruption in any_corruption(), severity in 1..=5_u8) {
        let pixels = random_picture(side, seed);
        let once = corrupted(&pixels, side, corruption, severity, seed);
        prop_assert_eq!(once.len(), side * side);
        prop_assert!(once.iter().all(|value| (0.0..=1.0).contains(value)));
        prop_assert_eq!(bits_of(&once), bits_of(&corrupted(&pixels, side, corruption, severity, seed)));
    }

    #[test]
    fn severity_0_changes_nothing(side in 1_usize..20, seed in any::<u64>(), corruption in any_corruption()) {
        let pixels = random_picture(side, seed);
        prop_assert_eq!(bits_of(&corrupted(&pixels, side, corruption, 0, seed)), bits_of(&pixels));
    }

    #[test]
    fn a_constant_film_stays_constant_when_blurred(side in 1_usize..30, value in 0.0..=1.0_f32, mm in 0.5..60.0_f32, angle in 0.0..3.0_f32) {
        let flat = vec![value; side * side];
        let flat_film = film(&flat, side);
        for blurred in [blur::focus(flat_film, mm), blur::motion(flat_film, mm, angle), scatter::scatter(flat_film, mm)] {
            prop_assert!(blurred.iter().all(|other| (other - value).abs() < 1e-5), "{value} became {blurred:?}");
        }
    }

    #[test]
    fn focus_blur_keeps_the_mean_of_the_signal(side in 8_usize..40, seed in any::<u64>(), mm in 1.0..40.0_f32) {
        let pixels = random_picture(side, seed);
        let signals = |pixels: &[f32]| -> Vec<f32> { pixels.iter().map(|&value| signal(value)).collect() };
        let before = mean(&signals(&pixels));
        let after = mean(&signals(&blur::focus(film(&pixels, side), mm)));
        prop_assert!((before - after).abs() < 1e-4 * before, "{before} became {after}");
    }

    #[test]
    fn exposure_multiplies_black_against_white(value in 0.01..0.99_f32, deviation in -6.0..6.0_f32) {
        let after = exposure::expose(film(&[value], 1), deviation)[0];
        let odds = |v: f32| (1.0 - f64::from(v)) / f64::from(v);
        let factor = 10_f64.powf(f64::from(deviation) / 10.0);
        prop_assert!((odds(after) / odds(value) / factor - 1.0).abs() < 1e-4);
        prop_assert!((after > value) == (deviation < 0.0) || deviation.abs() < 1e-3);
    }

    #[test]
    fn gamma_and_its_inverse_undo_each_other(seed in any::<u64>(), gamma in 1.0..2.5_f32) {
        let pixels = random_picture(9, seed);
        let there = exposure::gamma(film(&pixels, 9), gamma);
        let back = exposure::gamma(film(&there, 9), 1.0 / gamma);
        prop_assert!(change(&pixels, &back) < 1e-5);
    }

    #[test]
    fn a_shift_by_whole_pixels_is_exact(seed in any::<u64>(), right in -20..20_isize, down in -20..20_isize) {
        let side = 35; // pixels of 10 mm
        let pixels = random_picture(side, seed);
        let moved = geometry::shift(film(&pixels, side), 10.0 * right as f32, 10.0 * down as f32);
        for (place, value) in moved.iter().enumerate() {
            let (x, y) = ((place % side) as isize - right, (place / side) as isize - down);
            let seen = (0..side as isize).contains(&x) && (0..side as isize).contains(&y);
            let expected = if seen { pixels[(y * side as isize + x) as usize] } else { 0.0 };
            prop_assert_eq!(value.to_bits(), expected.to_bits());
        }
    }

    #[test]
    fn turning_back_undoes_a_rotation_in_the_interior(seed in any::<u64>(), degrees in -15.0..15.0_f32) {
        let side = 48;
        let pixels = smooth_picture(side, seed);
        let there = geometry::rotate(film(&pixels, side), degrees);
        let back = geometry::rotate(film(&there, side), -degrees);
        for row in 12..36 {
            for column in 12..36 {
                let place = row * side + column;
                prop_assert!((pixels[place] - back[place]).abs() < 2e-3);
            }
        }
    }

    #[test]
    fn a_slope_turns_with_the_film(along in -0.4..0.4_f32, down in -0.4..0.4_f32, degrees in -15.0..15.0_f32) {
        let side = 40;
        let from_middle = |place: usize| {
            let of = |at: usize| (at as f32 + 0.5) / side as f32 - 0.5;
            (of(place % side), of(place / side))
        };
        let slope: Vec<f32> = (0..side * side).map(from_middle).map(|(x, y)| 0.5 + along * x + down * y).collect();
        let (sine, cosine) = degrees.to_radians().sin_cos();
        for (place, value) in geometry::rotate(film(&slope, side), degrees).iter().enumerate() {
            // clockwise: what was on the right is now below it
            let (x, y) = from_middle(place);
            let (x0, y0) = (cosine * x + sine * y, cosine * y - sine * x);
            if x0.abs().max(y0.abs()) < 0.48 {
                prop_assert!((value - (0.5 + along * x0 + down * y0)).abs() < 1e-5);
            }
        }
    }

    #[test]
    fn a_depth_leaves_so_many_levels(seed in any::<u64>(), depth in 1..=8_u8) {
        let pixels = random_picture(30, seed);
        let after = bits::depth(film(&pixels, 30), depth);
        let mut levels = bits_of(&after);
        levels.sort_unstable();
        levels.dedup();
        prop_assert!(levels.len() <= 1 << depth);
        let half_step = 0.5 / ((1_u32 << depth) - 1) as f32;
        prop_assert!(pixels.iter().zip(&after).all(|(a, b)| (a - b).abs() <= half_step + 1e-6));
    }

    #[test]
    fn a_window_is_linear_inside_and_clips_outside(value in 0.0..=1.0_f32, width in 0.3..3.0_f32, level in 0.1..0.9_f32) {
        let after = window::window(film(&[value], 1), width, level)[0];
        let expected = if value <= level - width / 2.0 { 0.0 }
            else if value >= level + width / 2.0 { 1.0 }
            else { (value - (level - width / 2.0)) / width };
        prop_assert!((after - expected).abs() < 1e-5);
    }

    #[test]
    fn blades_blacken_the_border_and_nothing_else(seed in any::<u64>(), border in 0..17_usize) {
        let side = 35; // pixels of 10 mm
        let pixels = random_picture(side, seed);
        let after = collimation::collimate(film(&pixels, side), 10.0 * border as f32, 0.0);
        for (place, value) in after.iter().enumerate() {
            let (x, y) = (place % side, place / side);
            let inside = [x, y].into_iter().all(|at| (border..side - border).contains(&at));
            let expected = if inside { pixels[place] } else { 0.0 };
            prop_assert_eq!(value.to_bits(), expected.to_bits());
        }
    }

    #[test]
    fn letters_lighten_their_box_and_nothing_else(seed in any::<u64>(), level in 0..5_usize, is_text in any::<bool>()) {
        let side = 112;
        let pixels: Vec<f32> = random_picture(side, seed).into_iter().map(|value| value * 0.9).collect();
        let mut rng = stream(&["letters", &seed.to_string()]);
        let stamp = if is_text { Stamp::words(&mut rng) } else { Stamp::marker(&mut rng) };
        let height = MARKER_MM[level] / if is_text { 2.0 } else { 1.0 };
        let [left, top, wide, high] = stamp.frame(height);
        prop_assert!(left >= 0.0 && top >= 0.0 && left + wide <= SIDE_MM && top + high <= SIDE_MM);
        let after = stamp.burn(film(&pixels, side), height);
        let mm = SIDE_MM / side as f32;
        for (place, (before, after)) in pixels.iter().zip(&after).enumerate() {
            let (x, y) = ((place % side) as f32 * mm, (place / side) as f32 * mm);
            let touches = x + mm > left && x < left + wide && y + mm > top && y < top + high;
            let kept = after.to_bits() == before.to_bits() || (touches && after > before);
            prop_assert!(kept, "place {place}: {before} became {after}");
        }
        prop_assert_ne!(after, pixels);
    }

    #[test]
    fn what_lies_on_the_patient_only_lightens_and_more_of_it_more(seed in any::<u64>(), count in 1..5_u8) {
        let pixels = random_picture(64, seed);
        let draw = |count, leads| {
            let mut rng = stream(&["things", &seed.to_string()]);
            if leads { device::leads(film(&pixels, 64), count, &mut rng) } else { device::devices(film(&pixels, 64), count, &mut rng) }
        };
        for leads in [true, false] {
            let (fewer, more) = (draw(count, leads), draw(count + 1, leads));
            prop_assert!(pixels.iter().zip(&fewer).all(|(before, after)| after >= before));
            prop_assert!(fewer.iter().zip(&more).all(|(fewer, more)| more >= fewer));
            prop_assert_ne!(fewer, more);
        }
    }
}

#[test]
fn a_picture_changes_no_less_at_a_higher_severity() {
    let side = 112;
    let mut pictures = phantoms(6, side);
    pictures.push(random_picture(side, 3));
    for &corruption in Corruption::ALL {
        let name = corruption.name();
        let total = |severity| -> f64 {
            let all = pictures.iter().enumerate();
            all.map(|(seed, pixels)| {
                change(pixels, &corrupted(pixels, side, corruption, severity, seed as u64))
            })
            .sum()
        };
        let changes: Vec<f64> = (0..=5).map(total).collect();
        assert!(changes.windows(2).all(|pair| pair[0] < pair[1]), "{name}: {changes:?}");
    }
}

#[test]
fn quanta_have_the_mean_and_variance_of_poisson() {
    let side = 256;
    for (quanta, level) in [(1500.0, 0.1), (700.0, 0.3), (300.0, 0.2), (300.0, 0.55), (75.0, 0.3)] {
        let flat = vec![level; side * side];
        let noisy = noise::quantum(film(&flat, side), quanta, &mut stream(&["quanta"]));
        let signals: Vec<f32> = noisy.iter().map(|&value| signal(value)).collect();
        let expected = f64::from(signal(level));
        let (mean, variance) = (mean(&signals), variance(&signals));
        let error = (expected / f64::from(quanta) / (side * side) as f64).sqrt();
        assert!((mean - expected).abs() < 5.0 * error, "{quanta} {level}: mean {mean}, {expected} expected");
        let ratio = variance * f64::from(quanta) / expected;
        assert!((ratio - 1.0).abs() < 0.04, "{quanta} {level}: variance is {ratio} of mean / dose");
    }
}

#[test]
fn few_quanta_are_whole_and_as_frequent_as_poisson_says() {
    let (side, quanta, level) = (256, 40.0, 0.5);
    let flat = vec![level; side * side];
    let noisy = noise::quantum(film(&flat, side), quanta, &mut stream(&["few"]));
    // 4 quanta are expected; none is white
    let mut counts = [0_u32; 6];
    for value in noisy {
        let count = signal(value) * quanta;
        assert!((count - count.round()).abs() < 1e-3 || value >= 1.0, "{count} quanta");
        if let Some(seen) = counts.get_mut(count.round() as usize) {
            *seen += 1;
        }
    }
    let mut probability = (-4.0_f64).exp();
    for (count, seen) in counts.iter().enumerate() {
        let share = f64::from(*seen) / (side * side) as f64;
        let error = (probability * (1.0 - probability) / (side * side) as f64).sqrt();
        assert!((share - probability).abs() < 5.0 * error, "{count}: {share}, {probability} expected");
        probability *= 4.0 / (count as f64 + 1.0);
    }
}

#[test]
fn electronic_noise_has_its_deviation() {
    let flat = vec![0.5; 256 * 256];
    for levels in noise::LEVELS {
        let noisy = noise::electronic(film(&flat, 256), levels, &mut stream(&["amplifier"]));
        let deviation = variance(&noisy).sqrt() * 255.0;
        assert!((deviation / f64::from(levels) - 1.0).abs() < 0.02, "{deviation}, {levels} stated");
        assert!((mean(&noisy) - 0.5).abs() < 2e-3);
    }
}

#[test]
fn scatter_divides_contrast_by_one_and_the_ratio() {
    // a faint fine grating: the wide kernel sees its mean
    let side = 100;
    let pixels: Vec<f32> = (0..side * side).map(|place| if place % 2 == 0 { 0.5 } else { 0.501 }).collect();
    for ratio in scatter::RATIO {
        let veiled = scatter::scatter(film(&pixels, side), ratio);
        let middle = side * side / 2 + side / 2;
        let contrast = (veiled[middle] - veiled[middle + 1]).abs() / 0.001;
        assert!((contrast * (1.0 + ratio) - 1.0).abs() < 0.02, "{contrast} at {ratio}");
    }
}

#[test]
fn a_point_is_blurred_to_the_width_that_is_stated() {
    let side = 175; // pixels of 2 mm
    let mut pixels = vec![1.0; side * side];
    let middle = side / 2;
    pixels[middle * side + middle] = 0.0;
    // the variance of the signal above the white around it, in mm², along an axis
    let spread = |blurred: &[f32], across: bool| {
        let (mut sum, mut moment) = (0.0, 0.0);
        for (place, &value) in blurred.iter().enumerate() {
            let excess = f64::from(signal(value)) - 0.01;
            let away = 2.0 * ((if across { place % side } else { place / side }) as f64 - middle as f64);
            sum += excess;
            moment += excess * away * away;
        }
        moment / sum
    };
    let focus = blur::focus(film(&pixels, side), 12.0);
    let expected = (12.0 / 2.3548_f64).powi(2);
    for across in [true, false] {
        assert!((spread(&focus, across) / expected - 1.0).abs() < 0.03);
    }
    // a uniform line of length l has variance l² / 12; bilinear sampling widens it by a sixth of a pixel² at most
    let motion = blur::motion(film(&pixels, side), 30.0, 0.0);
    assert!((spread(&motion, true) / (30.0 * 30.0 / 12.0) - 1.0).abs() < 0.03, "{}", spread(&motion, true));
    assert!(spread(&motion, false) < 1e-3);
}

#[test]
fn an_l_has_the_ink_of_eleven_cells() {
    let side = 175; // pixels of 2 mm
    let black = vec![0.0; side * side];
    for height in MARKER_MM {
        let ink = Stamp { text: "L", right: true, bottom: false }.burn(film(&black, side), height);
        let area = 4.0 * mean(&ink) * (side * side) as f64;
        let expected = 11.0 * f64::from(height / 7.0).powi(2);
        assert!((area / expected - 1.0).abs() < 0.15, "{area} mm² at {height} mm, {expected} expected");
    }
}

#[test]
fn jpeg_of_the_best_quality_is_close() {
    for pixels in phantoms(3, 96) {
        let after = bits::jpeg(film(&pixels, 96), 100).expect("a picture");
        let worst = pixels.iter().zip(&after).map(|(a, b)| (a - b).abs()).fold(0.0, f32::max);
        assert!(worst < 3.5 / 255.0, "{worst}");
    }
}

#[test]
fn signals_and_grey_levels_are_inverse() {
    assert_eq!((signal(0.0), grey(1.0)), (1.0, 0.0));
    assert!((signal(1.0) - 0.01).abs() < 1e-7 && grey(0.0) >= 1.0);
    for value in [0.1, 0.5, 0.99] {
        assert!((grey(signal(value)) - value).abs() < 1e-6);
    }
}

#[test]
fn places_and_signs_are_those_of_the_case_at_every_severity() {
    let side = 64;
    let pixels = smooth_picture(side, 1);
    let mut directions = [0_u32; 2];
    for seed in 0..40 {
        let darker =
            |severity| mean(&corrupted(&pixels, side, Corruption::Exposure, severity, seed)) < mean(&pixels);
        assert!((2..=5).all(|severity| darker(severity) == darker(1)));
        directions[usize::from(darker(1))] += 1;
    }
    assert!(directions.iter().all(|count| *count > 8), "both signs are drawn: {directions:?}");
}

#[test]
fn what_is_no_picture_or_severity_is_refused() {
    let mut rng = stream(&["refused"]);
    let mut refused = |pixels: &[f32], side, severity| {
        corrupt(pixels, side, Corruption::Jpeg, severity, &mut rng).expect_err("refused").to_string()
    };
    let messages = [
        refused(&[0.5; 3], 2, 1),
        refused(&[], 0, 1),
        refused(&[f32::NAN], 1, 0),
        refused(&[1.5], 1, 0),
        refused(&[0.5], 1, 6),
    ];
    insta::assert_snapshot!(messages.join("\n"));
}

#[test]
fn severities_in_their_units() {
    let row = |corruption: &Corruption| {
        let amounts = (1..=5).map(|severity| amount(*corruption, severity).expect("an amount"));
        format!("{}: {}", corruption.name(), amounts.collect::<Vec<_>>().join(" | "))
    };
    insta::assert_snapshot!(Corruption::ALL.iter().map(row).collect::<Vec<_>>().join("\n"));
    assert_eq!((amount(Corruption::Jpeg, 0), amount(Corruption::Jpeg, 6)), (None, None));
}

/// Saves every corruption at severities 1, 3 and 5 as one picture, to look at: `MEDCERT_SHEET=sheet.png cargo
/// test --release --test pure picture::sheet -- --ignored`. `MEDCERT_SHEET_IMAGE` names an X-ray to use instead of a phantom.
#[test]
#[ignore = "writes a picture for eyes"]
fn sheet() {
    let Some(path) = std::env::var_os("MEDCERT_SHEET").map(PathBuf::from) else { return };
    let side = 224;
    let pixels = match std::env::var_os("MEDCERT_SHEET_IMAGE") {
        None => phantoms(3, side).remove(2),
        Some(file) => {
            let whole = image::open(file).expect("an image").to_luma8();
            let small = image::imageops::resize(
                &whole,
                side as u32,
                side as u32,
                image::imageops::FilterType::Triangle,
            );
            small.into_raw().into_iter().map(|byte| f32::from(byte) / 255.0).collect()
        }
    };
    let (columns, gap) = (9, 4);
    let width = columns * (side + gap);
    let rows = Corruption::ALL.len() * 3 / columns;
    let mut sheet = image::GrayImage::new(width as u32, (rows * (side + gap)) as u32);
    for (place, &corruption) in Corruption::ALL.iter().enumerate() {
        for (step, severity) in [1, 3, 5].into_iter().enumerate() {
            let tile = place * 3 + step;
            let (left, top) = (tile % columns * (side + gap), tile / columns * (side + gap));
            let after = corrupted(&pixels, side, corruption, severity, 1);
            for (at, value) in after.iter().enumerate() {
                let byte = image::Luma([(value * 255.0).round() as u8]);
                sheet.put_pixel((left + at % side) as u32, (top + at / side) as u32, byte);
            }
        }
    }
    sheet.save(path).expect("a picture");
}
