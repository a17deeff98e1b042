//! The spec language: reads what the user wrote, checks it, and reports every fault of the file at its place.
//!
//! [`Spec`] is what the file says; what will be computed is a [`Plan`](crate::plan::Plan).

mod ball;
mod check;
mod comparison;
mod compute;
mod condition;
mod corruption;
mod data;
mod defence;
mod diagnostic;
mod edit;
mod findings;
mod fingerprint;
mod hardening;
mod harm;
mod image_search;
mod invisible;
mod kinds;
mod language_family;
mod metric;
mod model;
mod names;
mod node;
mod number;
mod other_attack;
mod parameter;
mod parser;
pub mod pattern;
mod pixels;
mod place;
mod product;
mod reach;
mod read;
mod regression;
mod requirement;
mod reserved;
mod scalar;
mod schema;
mod script_model;
mod search_facts;
mod sentence;
mod settings;
mod specification;
mod split;
mod subject;
mod table;
mod takes;
mod text_search;
mod threat;
mod token;
mod url;
mod weights;

pub use ball::{Ball, PixelChange, WordChange, WordUnit, WordUnitFacts, parse_ball};
pub use check::{
    ChangedTrigger, Check, CheckPolicy, CheckRow, Checks, Effect, Looser, Signature, Trigger, Waiver,
};
pub use compute::{DeviceChoice, Stop};
pub use condition::parse_condition;
pub use corruption::{Corruption, CorruptionFacts};
pub use data::{
    Columns, DICOM_FILE, DICOM_VIEW, Data, DicomFolder, DicomKey, FILE_COLUMN, Join, Layout, MEDMNIST_SPLIT,
    MISSED, MOST_FILES, NORMAL, Privacy, Rows, Section, Views, Window, is_age,
};
pub use defence::{Defence, Defended, EOT_DRAWS, PixelNoise, Smoothing, Unreached, WordNoise};
pub use diagnostic::{Diagnostic, Diagnostics, Place};
pub use edit::{EditFacts, EditKind, Mode, ModeFacts};
pub use findings::{FindingColumns, PhantomFinding, Taken};
pub use fingerprint::Fingerprint;
pub use hardening::{Hardening, TrainingAttack};
pub use harm::{Costs, Harm};
pub use image_search::ImageSearch;
pub use language_family::LanguageFamily;
pub use metric::{Direction, Metric, OfClasses};
pub use model::{BertConfig, Fusion, Model, VisionNetwork};
pub use names::{ModelInputs, Names};
pub(crate) use node::suggest;
pub(crate) use number::{Number, written_percent, written_radius};
pub use other_attack::{OtherAttack, OtherAttackFacts};
pub use parameter::{Parameter, Referent, Takes, Value};
pub use parser::Complaint;
pub use pixels::{AttackLoss, ImageMethod, LossFacts, Mask, Norm, Region};
pub use product::Product;
pub use reach::{Certified, Certifier, reach};
pub use read::{parse, read};
pub use regression::parse_regression;
pub use requirement::{Asked, Bound, Clause, Condition, Figure, Operating, Regression, Requirement};
pub use schema::schema;
pub use script_model::{
    Asking, Behind, CommandLine, Endpoint, Expectation, ModuleFile, ModuleFormat, Outputs, ScriptModel,
};
pub use search_facts::{Access, Evaluations, SearchFacts, Seeks, Steps};
pub use sentence::{parse_figure, parse_sentence};
pub use specification::{Named, Spec};
pub use split::{Parts, Split};
pub use text_search::{NetworkPart, TextSearch, TextSearchFacts};
pub use threat::{Absence, AbsenceFacts, Joint, Strength, TextAttack, TextMethod, Threat};
pub use url::Url;
pub use weights::{Optimizer, Schedule, Source, Train, Weights};
