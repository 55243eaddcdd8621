//! An alias is of a version, not of a function.

use cfn::Template;
use cfn::iam::Role;
use cfn::lambda::{Alias, AliasRequired, Code, Function};

fn main() {
    let mut template = Template::new("Orders");
    let role = template.add("Role", Role::for_lambda());
    let function = template.add("Function", Function::new(Code::s3("code", "orders.zip"), &role));
    let _ = Alias::new(AliasRequired {
        function_name: (&function).into(),
        function_version: function.name().into(),
        name: "live".into(),
    });
}
