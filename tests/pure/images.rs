//! Images say what they are: bits, orientation, alpha, and whether they are whole.

use std::path::PathBuf;

use image::codecs::jpeg::JpegEncoder;
use image::{DynamicImage, GrayImage, ImageBuffer, ImageEncoder, ImageFormat, Luma, LumaA, Rgba};
use medcert::data::{ImageSource, Report, Study, pixels};
use medcert::spec::Views;

/// The pixels of files with these contents, at a side of 4, if the spec names so many bits.
fn read_all(contents: &[&[u8]], bits: Option<u8>) -> Result<Vec<u8>, String> {
    let folder = tempfile::tempdir().expect("a folder");
    let study = |(place, content): (usize, &&[u8])| {
        let path = folder.path().join(format!("{place}.image"));
        std::fs::write(&path, content).expect("written");
        study(path, bits)
    };
    let studies: Vec<Study> = contents.iter().enumerate().map(study).collect();
    let studies: Vec<&Study> = studies.iter().collect();
    let read = pixels(&studies, Views::Frontal, 4, None).map(|pixels| pixels.bytes);
    read.map_err(|error| {
        assert_eq!(error.exit_code(), 4);
        error.to_string().replace(&folder.path().display().to_string(), "FOLDER")
    })
}

fn read(content: &[u8], bits: Option<u8>) -> Result<Vec<u8>, String> {
    read_all(&[content], bits)
}

fn study(path: PathBuf, bits: Option<u8>) -> Study {
    Study {
        id: "a".into(),
        patient: "a".into(),
        frontal: Some(ImageSource::file_of_bits(path, bits)),
        lateral: None,
        report: Report::default(),
        label: true.into(),
        findings: vec![],
        view: None,
        mask: None,
        groups: [].into(),
        fold: None,
    }
}

fn encoded(image: impl Into<DynamicImage>, format: ImageFormat) -> Vec<u8> {
    let mut bytes = std::io::Cursor::new(Vec::new());
    image.into().write_to(&mut bytes, format).expect("encoded");
    bytes.into_inner()
}

/// A PNG of 16 bits with one value.
fn deep(value: u16) -> Vec<u8> {
    let image: ImageBuffer<Luma<u16>, Vec<u16>> = ImageBuffer::from_pixel(8, 8, Luma([value]));
    encoded(image, ImageFormat::Png)
}

/// The same with a chunk behind the header, such as `sBIT`.
fn with_chunk(png: &[u8], name: [u8; 4], content: &[u8]) -> Vec<u8> {
    let header = 8 + 25; // the signature, and IHDR with its length, name and checksum
    let named = [&name[..], content].concat();
    let mut table = u32::MAX;
    for byte in &named {
        table ^= u32::from(*byte);
        for _ in 0..8 {
            table = if table & 1 == 1 { table >> 1 ^ 0xEDB8_8320 } else { table >> 1 };
        }
    }
    let length = (content.len() as u32).to_be_bytes();
    [&png[..header], &length, &named, &(!table).to_be_bytes(), &png[header..]].concat()
}

#[test]
fn a_film_of_12_bits_is_as_bright_as_the_same_film_of_8() {
    let film = deep(1605);
    for (name, read) in [
        ("bits of the spec", read(&film, Some(12))),
        ("sBIT", read(&with_chunk(&film, *b"sBIT", &[12]), None)),
        ("10 bits", read(&deep(401), Some(10))),
        ("14 bits", read(&with_chunk(&deep(6426), *b"sBIT", &[14]), None)),
    ] {
        assert_eq!(read.expect(name), [100; 16], "{name}");
    }
    // the standard wants significant bits stretched to the file's depth: then they are the file's
    assert_eq!(read(&with_chunk(&deep(100 * 257), *b"sBIT", &[12]), None).expect("stretched"), [100; 16]);
    assert_eq!(
        read(&with_chunk(&deep(0xFF0), *b"sBIT", &[12]), Some(16)).expect("stretched, dark"),
        [16; 16]
    );
    // a value that the bits cannot hold is no film of so many bits
    let why = read(&deep(4096), Some(12)).expect_err("too large");
    assert!(why.contains("holds the value 4096") && why.contains("4095 at most"), "{why}");
    // a file of 8 bits means what it holds
    let plain = encoded(GrayImage::from_pixel(8, 8, Luma([100])), ImageFormat::Png);
    assert_eq!(read(&plain, Some(12)).expect("an image"), [100; 16]);
}

#[test]
fn a_set_that_never_reaches_a_quarter_of_its_range_is_refused() {
    for (value, bits) in [(1023, 10), (4095, 12), (16_383, 14)] {
        let why = read_all(&[&deep(value), &deep(value / 2)], None).expect_err("refused");
        assert!(why.contains(&format!("the brightest value is {value} of 65535")), "{why}");
        assert!(why.contains(&format!("write `bits: {bits}`")) && why.contains("`bits: 16`"), "{why}");
    }
    let dark = encoded(GrayImage::from_pixel(8, 8, Luma([63])), ImageFormat::Png);
    assert!(read(&dark, None).expect_err("refused").contains("63 of 255"));
    // one bright image shows the range, and a spec may say that the set is dark
    assert_eq!(read_all(&[&deep(1023), &deep(u16::MAX)], None).expect("images")[16..], [255; 16]);
    assert_eq!(read(&deep(4095), Some(16)).expect("an image"), [16; 16]);
}

/// A JPEG that is dark on the left, with an orientation in its metadata.
fn turned(orientation: u8) -> Vec<u8> {
    let image = GrayImage::from_fn(16, 16, |x, _| Luma([if x < 8 { 10 } else { 240 }]));
    let mut bytes = Vec::new();
    let mut encoder = JpegEncoder::new(&mut bytes);
    let exif =
        [b"MM\0\x2a\0\0\0\x08\0\x01\x01\x12\0\x03\0\0\0\x01\0".as_slice(), &[orientation, 0, 0, 0, 0, 0, 0]];
    encoder.set_exif_metadata(exif.concat()).expect("metadata");
    encoder.encode_image(&image).expect("encoded");
    bytes
}

#[test]
fn the_orientation_of_exif_is_applied() {
    let dark = |bytes: Vec<u8>| -> Vec<bool> { bytes.iter().map(|value| *value < 128).collect() };
    let left = dark(read(&turned(1), None).expect("an image"));
    assert!(left.chunks_exact(4).all(|row| row == [true, true, false, false]), "{left:?}");
    // 3 is half a turn, 6 a quarter to the right
    let right = dark(read(&turned(3), None).expect("an image"));
    assert!(right.chunks_exact(4).all(|row| row == [false, false, true, true]), "{right:?}");
    let top = dark(read(&turned(6), None).expect("an image"));
    assert_eq!(top, [[true; 8], [false; 8]].concat());
}

#[test]
fn what_is_transparent_is_black() {
    let half: ImageBuffer<LumaA<u8>, Vec<u8>> = ImageBuffer::from_pixel(8, 8, LumaA([200, 128]));
    assert_eq!(read(&encoded(half, ImageFormat::Png), None).expect("an image"), [100; 16]);
    let hidden: ImageBuffer<Rgba<u8>, Vec<u8>> =
        ImageBuffer::from_fn(8, 8, |x, _| Rgba([255, 255, 255, if x < 4 { 0 } else { 255 }]));
    let bytes = read(&encoded(hidden, ImageFormat::Png), None).expect("an image");
    assert!(bytes.chunks_exact(4).all(|row| row[0] < 20 && row[3] > 230), "{bytes:?}");
}

/// A progressive JPEG of 8 by 8 pixels whose coefficients are all 0: middle gray, in two scans.
fn progressive() -> Vec<u8> {
    let segment = |marker: u8, content: &[u8]| {
        let [high, low] = (content.len() as u16 + 2).to_be_bytes();
        [&[0xFF, marker, high, low], content].concat()
    };
    // one code, a single 0, for the value 0; then ones up to the end of the byte
    let code = |class: u8| segment(0xC4, &[&[class, 1][..], &[0; 15], &[0]].concat());
    let scan = |first: u8, last: u8| [segment(0xDA, &[1, 1, 0, first, last, 0]), vec![0x7F]].concat();
    [
        b"\xFF\xD8".to_vec(),
        segment(0xDB, &[&[0][..], &[1; 64]].concat()),
        segment(0xC2, &[8, 0, 8, 0, 8, 1, 1, 0x11, 0]),
        code(0x00),
        code(0x10),
        scan(0, 0),
        scan(1, 63),
        b"\xFF\xD9".to_vec(),
    ]
    .concat()
}

#[test]
fn a_jpeg_that_was_cut_off_is_refused() {
    let film = GrayImage::from_fn(64, 64, |x, y| Luma([((x * 37 + y * 91) % 256) as u8]));
    let whole = encoded(film, ImageFormat::Jpeg);
    read(&whole, None).expect("a whole file");
    let cut = [
        &whole[..whole.len() / 2],
        &whole[..whole.len() - 2],
        &[&whole[..whole.len() - 40], &[0; 40]].concat(),
    ];
    for content in cut {
        let why = read(content, None).expect_err("cut");
        assert!(why.contains("FOLDER/0.image") && why.contains("it was cut off"), "{why}");
    }
    // cut, and closed again by a program that meant well; in colour too, where blocks are interleaved
    let colours =
        image::RgbImage::from_fn(60, 44, |x, y| image::Rgb([x as u8 * 4, y as u8 * 5, (x * y) as u8]));
    let colours = encoded(colours, ImageFormat::Jpeg);
    read(&colours, None).expect("a whole file");
    for whole in [&whole, &colours] {
        for kept in [whole.len() / 2 + whole.len() / 4, whole.len() - 30] {
            let closed = [&whole[..kept], b"\xFF\xD9"].concat();
            let why = read(&closed, None).expect_err("cut");
            assert!(why.contains("a scan ends too early"), "{why}");
        }
    }
    let whole = progressive();
    assert_eq!(read(&whole, None).expect("a whole file"), [128; 16]);
    assert!(read(&whole[..whole.len() - 2], None).expect_err("cut").contains("its end is missing"));
    // without its second scan, and closed again
    let closed = [&whole[..whole.len() - 13], b"\xFF\xD9"].concat();
    assert!(read(&closed, None).expect_err("cut").contains("some of its scans are missing"));
}

#[test]
fn an_image_that_needs_more_than_the_shared_memory_is_refused_by_name() {
    // 268 million black pixels in a few kilobytes
    let mut bytes = Vec::new();
    let encoder = image::codecs::png::PngEncoder::new_with_quality(
        &mut bytes,
        image::codecs::png::CompressionType::Best,
        image::codecs::png::FilterType::NoFilter,
    );
    encoder.write_image(&vec![0; 64 * 64], 64, 64, image::ExtendedColorType::L8).expect("encoded");
    // the same header with a large size: it is refused before a pixel is read
    let large = 16_000_u32.to_be_bytes();
    let header = [&bytes[12..16], &large, &large, &bytes[24..29]].concat();
    let mut sum = u32::MAX;
    for byte in &header {
        sum ^= u32::from(*byte);
        for _ in 0..8 {
            sum = if sum & 1 == 1 { sum >> 1 ^ 0xEDB8_8320 } else { sum >> 1 };
        }
    }
    let file = [&bytes[..12], &header, &(!sum).to_be_bytes(), &bytes[33..]].concat();
    let why = read(&file, None).expect_err("too large");
    assert!(why.contains("16000 × 16000 pixels need") && why.contains("FOLDER/0.image"), "{why}");
}

#[test]
fn a_pointer_or_a_page_in_an_images_place_is_called_so() {
    for (content, remedy) in [
        (&b"version https://git-lfs.github.com/spec/v1\noid sha256:00\nsize 9\n"[..], "git lfs pull"),
        (b"/annex/objects/MD5E-s9--00.png\n", "git annex get"),
        (b"<!DOCTYPE html><html><body>Please sign in</body></html>", "sign in"),
    ] {
        let why = read(content, None).expect_err("refused");
        assert!(why.contains("FOLDER/0.image") && why.contains(remedy), "{why}");
    }
}

#[test]
fn the_jpegs_of_public_sets_are_whole() {
    let folder = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("../shared/data/nih_pairs/images");
    let Ok(entries) = std::fs::read_dir(folder) else { return };
    for entry in entries.take(60) {
        let path = entry.expect("an entry").path();
        let content = std::fs::read(&path).expect("read");
        if let Err(why) = read(&content, None) {
            panic!("{}: {why}", path.display());
        }
    }
}
