output "bytes" {
  value = provider::hypersdk::size("40GiB") # 42949672960
}

output "memory_mb" {
  value = provider::hypersdk::size("8GiB", "MiB") # 8192: what vSphere calls MB is binary
}
