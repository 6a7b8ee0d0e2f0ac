//! The client through its public interface, against real servers on this machine.

mod addressing;
mod answers;
mod campaign;
mod outages;
mod records;
mod schema;
mod server;
mod token;
mod writes;
