//! The attacks, one a file. An attack only proposes; what it proposes is projected onto the threat model
//! and evaluated anew by the laboratory before it counts (law 2 of the design).

pub mod image;
pub mod joint;
pub mod text;
