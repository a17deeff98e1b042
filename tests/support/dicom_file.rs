//! Small DICOM files, written element by element (PS3.5 section 7.1, explicit and little-endian).

/// An element with its type; a value of odd length is filled up with a space.
pub fn element(tag: (u16, u16), vr: &str, value: &[u8]) -> Vec<u8> {
    let mut value = value.to_vec();
    if value.len() % 2 == 1 {
        value.push(b' ');
    }
    let mut bytes = [tag.0.to_le_bytes(), tag.1.to_le_bytes()].concat();
    bytes.extend(vr.as_bytes());
    if matches!(vr, "OB" | "OW" | "SQ" | "UN") {
        bytes.extend([0, 0]);
        bytes.extend((value.len() as u32).to_le_bytes());
    } else {
        bytes.extend((value.len() as u16).to_le_bytes());
    }
    bytes.extend(value);
    bytes
}

/// A number of 16 bits.
pub fn number(tag: (u16, u16), value: u16) -> Vec<u8> {
    element(tag, "US", &value.to_le_bytes())
}

/// A file with these elements, which ascend, in a transfer syntax.
pub fn file(syntax: &str, elements: &[Vec<u8>]) -> Vec<u8> {
    let mut bytes = vec![0; 128];
    bytes.extend(b"DICM");
    bytes.extend(element((2, 0x10), "UI", syntax.as_bytes()));
    bytes.extend(elements.concat());
    bytes
}

/// A plain picture of 16 bits in words of `stored` bits, 4 × 4, with attributes (those of groups below 0028) and more
/// elements of group 0028 above 0103.
pub fn picture(attributes: &[Vec<u8>], stored: u16, values: &[u16; 16], more: &[Vec<u8>]) -> Vec<u8> {
    let mut elements = attributes.to_vec();
    elements.extend([
        number((0x28, 2), 1),
        element((0x28, 4), "CS", b"MONOCHROME2"),
        number((0x28, 0x10), 4),
        number((0x28, 0x11), 4),
        number((0x28, 0x100), 16),
        number((0x28, 0x101), stored),
        number((0x28, 0x102), stored - 1),
        number((0x28, 0x103), 0),
    ]);
    elements.extend(more.to_vec());
    let words: Vec<u8> = values.iter().flat_map(|value| value.to_le_bytes()).collect();
    elements.push(element((0x7FE0, 0x10), "OW", &words));
    file("1.2.840.10008.1.2.1", &elements)
}
