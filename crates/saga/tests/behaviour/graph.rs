//! The pictures: whole files, to be looked at.

use crate::trip::trip_saga;
use saga::graph::{dot, mermaid, svg};

#[test]
fn pictures() {
    let trip = trip_saga();
    insta::assert_snapshot!("trip_mermaid", mermaid(trip.definition()));
    insta::assert_snapshot!("trip_dot", dot(trip.definition()));
    insta::assert_snapshot!("trip_svg", svg(trip.definition()));
}
