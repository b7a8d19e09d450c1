# inventory path, managed object id, instance UUID, or a name that only one has
terraform import hypersdk_template.golden /DC1/vm/templates/golden-2026-11
