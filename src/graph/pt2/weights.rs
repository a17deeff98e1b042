//! Finds the weights in the archive's two tables, and checks that the archive holds all of their bytes.

use std::collections::HashMap;

use super::element_numbers::{STRIDED, element_type};
use super::json;
use super::schema::{self, Payload, Payloads};
use crate::graph::archive::Archive;
use crate::graph::{MOST_BYTES, MOST_DIMENSIONS, Weight};

const WEIGHTS: &str = "data/weights/";
const CONSTANTS: &str = "data/constants/";

/// The tables of the weights and of the constants.
pub(super) struct WeightTables<'a> {
    archive: &'a Archive<'a>,
    weights: HashMap<String, Payload>,
    constants: HashMap<String, Payload>,
}

impl<'a> WeightTables<'a> {
    /// Reads both tables.
    ///
    /// # Errors
    /// A table is missing, or is not in torch.export's form.
    pub(super) fn read(archive: &'a Archive<'a>) -> Result<Self, String> {
        let payloads = |folder: &str, table: &str| -> Result<HashMap<String, Payload>, String> {
            let name = format!("{folder}{table}");
            let text = archive.read(&name).ok_or_else(|| format!("it has no {name}"))?;
            let table: Payloads = json(&name, text)?;
            Ok(table.config)
        };
        let weights = payloads(WEIGHTS, "model_weights_config.json")?;
        let constants = payloads(CONSTANTS, "model_constants_config.json")?;
        Ok(Self { archive, weights, constants })
    }

    /// The weight with a name.
    ///
    /// # Errors
    /// The file has no such weight, or in a form that medcert refuses, or lacks some of its bytes. The message is the
    /// end of a sentence whose subject is the file.
    pub(super) fn weight(&self, name: &str, is_parameter: bool) -> Result<Weight, String> {
        let tables = [(WEIGHTS, &self.weights), (CONSTANTS, &self.constants)];
        let (folder, payload) = tables
            .iter()
            .find_map(|(folder, table)| table.get(name).map(|payload| (folder, payload)))
            .ok_or_else(|| format!("lacks the weight {name:?}"))?;
        if payload.use_pickle {
            return Err(format!("holds the weight {name:?} as a pickle, which can run code when it is read"));
        }
        let meta = payload
            .tensor_meta
            .as_ref()
            .ok_or_else(|| format!("does not say what the weight {name:?} is"))?;
        let kind = element_type(meta.dtype).ok_or_else(|| {
            format!("has the weight {name:?} in a type that medcert does not read (number {})", meta.dtype)
        })?;
        if meta.layout != STRIDED {
            return Err(format!("has the weight {name:?} in sparse storage"));
        }
        let path = format!("{folder}{}", payload.path_name);
        let bytes = self.archive.place(&path).ok_or_else(|| format!("lacks {path}, the weight {name:?}"))?;
        let known =
            |sizes: &[schema::Size]| sizes.iter().map(schema::Size::known).collect::<Option<Vec<u64>>>();
        let (sizes, strides) = (known(&meta.sizes), known(&meta.strides));
        let (Some(sizes), Some(strides), Some(offset)) = (sizes, strides, meta.storage_offset.known()) else {
            return Err(format!("has no shape of whole numbers for the weight {name:?}"));
        };
        if sizes.len() != strides.len() || sizes.len() > MOST_DIMENSIONS {
            return Err(format!(
                "has {} sizes and {} strides for the weight {name:?}",
                sizes.len(),
                strides.len()
            ));
        }
        let elements = sizes.iter().try_fold(1_u64, |product, size| product.checked_mul(*size));
        let span = sizes.iter().zip(&strides).try_fold(offset, |last, (size, stride)| {
            last.checked_add(size.saturating_sub(1).checked_mul(*stride)?)
        });
        let held = bytes.len() as u64 / kind.size();
        let fits = match (elements, span) {
            (Some(0), Some(_)) => true,
            (Some(elements), Some(last)) => elements <= MOST_BYTES / kind.size() && last < held,
            (None, _) | (_, None) => false,
        };
        if !fits {
            return Err(format!(
                "states the shape {sizes:?} for the weight {name:?}, which its {} bytes do not hold",
                bytes.len()
            ));
        }
        Ok(Weight { name: name.to_string(), is_parameter, kind, sizes, strides, offset, bytes })
    }
}
