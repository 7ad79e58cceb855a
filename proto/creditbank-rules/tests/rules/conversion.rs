//! Goal: agreements, equivalences and distributions are admitted only when they are well-formed, and conversions under
//! them give exactly what they say, to everyone, whatever the order and the way.

mod agreements;
mod amounts;
mod bases;
mod exempted;
mod grades;
mod land;
mod levels;
mod properties;
mod publications;
