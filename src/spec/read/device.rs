//! The key `device`: what the models run on.

use serde_json::{Value as Json, json};

use crate::spec::DeviceChoice;
use crate::spec::node::Node;
use crate::spec::table::{Takes, Writes};

/// A device by its name.
pub(super) struct Device;

impl Takes for Device {
    type Value = DeviceChoice;

    fn read(&self, node: &Node<'_>) -> Option<DeviceChoice> {
        let text = node.text()?;
        let read = text.parse::<DeviceChoice>();
        if let Err(help) = &read {
            node.fault(format!("`{text}` is no device"), help.clone());
        }
        read.ok()
    }

    fn schema(&self, about: &str) -> Json {
        json!({
            "description": about, "type": "string", "pattern": "^(auto|cpu|cuda(:[0-9]+)?)$",
            "examples": ["auto", "cpu", "cuda:0"],
        })
    }
}

impl Writes for Device {
    fn written(&self, value: &DeviceChoice) -> Json {
        match value {
            DeviceChoice::Auto => json!("auto"),
            DeviceChoice::Cpu => json!("cpu"),
            DeviceChoice::Cuda(number) => json!(format!("cuda:{number}")),
        }
    }
}
