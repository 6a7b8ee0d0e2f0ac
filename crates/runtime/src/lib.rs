#![doc = include_str!("../README.md")]

pub mod admin;
pub mod bind;
pub mod error;
pub mod health;
pub mod metrics;
pub mod retry;
pub mod sealing;
pub mod service;
pub mod settings;
pub mod shutdown;
pub mod supervise;
pub mod telemetry;
pub mod token;
