//! The elements that are read, with their numbers from DICOM PS3.6. Names of people, dates and addresses are not among
//! them.

/// Group and element.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Tag(pub(super) u16, pub(super) u16);

pub(super) const INSTANCE: Tag = Tag(0x0008, 0x0018);
pub(super) const ACCESSION: Tag = Tag(0x0008, 0x0050);
pub(super) const MANUFACTURER: Tag = Tag(0x0008, 0x0070);
pub(super) const PATIENT: Tag = Tag(0x0010, 0x0020);
pub(super) const SEX: Tag = Tag(0x0010, 0x0040);
pub(super) const AGE: Tag = Tag(0x0010, 0x1010);
pub(super) const VIEW: Tag = Tag(0x0018, 0x5101);
pub(super) const STUDY: Tag = Tag(0x0020, 0x000D);
pub(super) const SAMPLES: Tag = Tag(0x0028, 0x0002);
pub(super) const PHOTOMETRIC: Tag = Tag(0x0028, 0x0004);
pub(super) const FRAMES: Tag = Tag(0x0028, 0x0008);
pub(super) const ROWS: Tag = Tag(0x0028, 0x0010);
pub(super) const COLUMNS: Tag = Tag(0x0028, 0x0011);
pub(super) const BITS_ALLOCATED: Tag = Tag(0x0028, 0x0100);
pub(super) const BITS_STORED: Tag = Tag(0x0028, 0x0101);
pub(super) const HIGH_BIT: Tag = Tag(0x0028, 0x0102);
pub(super) const SIGNED: Tag = Tag(0x0028, 0x0103);
pub(super) const PADDING: Tag = Tag(0x0028, 0x0120);
pub(super) const BURNED_IN: Tag = Tag(0x0028, 0x0301);
pub(super) const WINDOW_CENTRE: Tag = Tag(0x0028, 0x1050);
pub(super) const WINDOW_WIDTH: Tag = Tag(0x0028, 0x1051);
pub(super) const INTERCEPT: Tag = Tag(0x0028, 0x1052);
pub(super) const SLOPE: Tag = Tag(0x0028, 0x1053);
pub(super) const WINDOW_SHAPE: Tag = Tag(0x0028, 0x1056);
pub(super) const MODALITY_TABLE: Tag = Tag(0x0028, 0x3000);
pub(super) const TABLE_SHAPE: Tag = Tag(0x0028, 0x3002);
pub(super) const TABLE_DATA: Tag = Tag(0x0028, 0x3006);
pub(super) const WINDOW_TABLE: Tag = Tag(0x0028, 0x3010);
pub(super) const PRESENTATION: Tag = Tag(0x2050, 0x0020);
pub(super) const PIXELS: Tag = Tag(0x7FE0, 0x0010);

/// Those whose value is a sequence, which a data set without types does not say.
pub(super) const SEQUENCES: [Tag; 2] = [MODALITY_TABLE, WINDOW_TABLE];

/// What says whose picture it is, and how it was taken.
pub(super) const ATTRIBUTES: [Tag; 9] =
    [INSTANCE, ACCESSION, MANUFACTURER, PATIENT, SEX, AGE, VIEW, STUDY, ROWS];

/// What says how the pixels are shown, and the pixels.
pub(super) const PICTURE: [Tag; 20] = [
    SAMPLES,
    PHOTOMETRIC,
    FRAMES,
    ROWS,
    COLUMNS,
    BITS_ALLOCATED,
    BITS_STORED,
    HIGH_BIT,
    SIGNED,
    PADDING,
    BURNED_IN,
    WINDOW_CENTRE,
    WINDOW_WIDTH,
    INTERCEPT,
    SLOPE,
    WINDOW_SHAPE,
    MODALITY_TABLE,
    WINDOW_TABLE,
    PRESENTATION,
    PIXELS,
];
