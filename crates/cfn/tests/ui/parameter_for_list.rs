//! A parameter of one value cannot stand for a list.

use cfn::lambda::function::VpcConfig;
use cfn::{Parameter, Template};

fn main() {
    let mut template = Template::new("Orders");
    let subnet = template.parameter("Subnet", Parameter::string());
    let _ = VpcConfig::new().subnet_ids(&subnet);
}
