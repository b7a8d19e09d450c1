# libvirt URI and UUID of the domain, joined by #
terraform import hypersdk_migration.web01 'qemu:///system#6a0a3a0c-6f0e-5b0a-9d57-3a1d8f3d1f7e'
