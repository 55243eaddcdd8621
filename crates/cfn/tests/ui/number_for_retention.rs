//! Logs are kept for one of the numbers of days that AWS allows.

use cfn::logs::LogGroup;

fn main() {
    let _ = LogGroup::new().retention_in_days(31);
}
