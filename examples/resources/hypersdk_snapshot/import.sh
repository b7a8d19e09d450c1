# the VM (path, managed object id, instance UUID or unique name), a #, and the snapshot (name, path or managed object id)
terraform import hypersdk_snapshot.before_upgrade '/DC1/vm/web-01#before-upgrade'
