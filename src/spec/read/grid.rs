//! The keys `grid` and `grid_l2`: the strengths that `ε≤` runs through.

use serde_json::{Value as Json, json};

use crate::spec::Norm;
use crate::spec::node::Node;
use crate::spec::schema::parts;
use crate::spec::table::{Own, own};

pub(super) const USUAL_LINF: [f64; 4] = [0.01, 0.05, 0.1, 0.2];
/// From a pixel or two to a clearly visible change of an image of 56 to 224 pixels a side.
pub(super) const USUAL_L2: [f64; 4] = [0.25, 0.5, 1.0, 2.0];

pub(super) const LINF: Own<Vec<f64>> = own(|node| read(node, Norm::Linf), |about| schema(about, Norm::Linf));
pub(super) const L2: Own<Vec<f64>> = own(|node| read(node, Norm::L2), |about| schema(about, Norm::L2));

fn read(node: &Node<'_>, norm: Norm) -> Option<Vec<f64>> {
    let items = node.items()?;
    let read: Vec<Option<f64>> = items.iter().map(|item| item.radius(norm)).collect();
    let mut grid = read.into_iter().collect::<Option<Vec<f64>>>()?;
    if grid.is_empty() || grid.len() > 100 {
        node.fault("a grid has 1 to 100 strengths", "for example [0.01, 0.05, 0.1]".to_string());
        return None;
    }
    grid.sort_by(f64::total_cmp);
    grid.dedup();
    Some(grid)
}

fn schema(about: &str, norm: Norm) -> Json {
    let (usual, most) = match norm {
        Norm::Linf => (USUAL_LINF, 1.0),
        Norm::L2 => (USUAL_L2, 1000.0),
    };
    let list = parts::list(&parts::number(0.0, most), 1);
    let mut schema = parts::described(list, about);
    schema["examples"] = json!([usual]);
    schema
}
