//! Goal: agreements, equivalences and distributions are admitted only when they are well-formed, and conversions under them give
//! exactly what they say, to everyone, whatever the order and the way.

#[path = "conversion/agreements.rs"]
mod agreements;
#[path = "conversion/amounts.rs"]
mod amounts;
#[path = "conversion/bases.rs"]
mod bases;
#[path = "conversion/grades.rs"]
mod grades;
#[path = "conversion/land.rs"]
mod land;
#[path = "conversion/levels.rs"]
mod levels;
#[path = "conversion/properties.rs"]
mod properties;
#[path = "conversion/publications.rs"]
mod publications;
#[path = "conversion/speed.rs"]
mod speed;
