# by inventory path, managed object id or instance UUID
terraform import hypersdk_clone.web '/DC1/vm/web/web-01'
