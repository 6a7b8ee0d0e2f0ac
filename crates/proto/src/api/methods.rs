//! The methods of the API.

use prost::Message;
use prost_types::FileDescriptorSet;

use crate::DESCRIPTORS;

/// Every method of the API as calls name it, e.g. `crosswalk.v1.Mappings/GetMapping`.
#[must_use]
pub fn methods() -> Vec<String> {
    let files = FileDescriptorSet::decode(DESCRIPTORS).expect("our own build encoded the descriptors");
    let mut methods = Vec::new();
    for file in &files.file {
        for service in &file.service {
            let names = service.method.iter().map(prost_types::MethodDescriptorProto::name);
            methods.extend(names.map(|method| format!("{}.{}/{method}", file.package(), service.name())));
        }
    }
    methods
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_method_is_named_with_its_package_and_service() {
        let methods = methods();
        for method in [
            "crosswalk.v1.Instances/GetInstance",
            "crosswalk.v1.Mappings/EstimateMapping",
            "crosswalk.v1.DeadLetters/RedriveDeadLetters",
        ] {
            assert!(methods.iter().any(|known| known == method), "{method} in {methods:?}");
        }
    }
}
