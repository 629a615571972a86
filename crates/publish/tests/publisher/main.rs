//! The publisher over a cluster in memory: what a receipt means, whatever happens.

mod chaos;
mod cluster;
mod damage;
mod delivery;
mod limits;
mod outage;
mod schemas;
mod support;
