//! The laboratory: attacks, models, runs and their planted faults, on small networks.
#![cfg(feature = "torch")]

#[path = "../support/endpoint_server.rs"]
mod endpoint_server;
#[path = "../support/golden_network.rs"]
mod golden_network;
#[path = "../support/known_scene.rs"]
mod known_scene;
#[path = "../support/made_evidence.rs"]
mod made_evidence;
#[path = "../support/staged.rs"]
mod staged;
#[path = "../support/word_classifier.rs"]
mod word_classifier;

mod acted;
mod attacks;
mod bae;
mod black_box;
mod certified;
mod certify;
mod classes;
mod commands;
mod confined;
mod deceptions;
mod defended_classes;
mod device;
mod endpoint_faults;
mod endpoints;
mod expectations;
mod findings;
mod fixed_number;
mod fusion;
mod hardening;
mod joint;
mod networks;
mod operating;
mod pieces;
mod planted_faults;
mod planted_models;
mod resume;
mod searches;
mod shrink;
mod snapshots_page;
mod specs;
mod suite;
mod suite_black_box;
mod suite_classes;
mod threads;
mod traced_modules;
