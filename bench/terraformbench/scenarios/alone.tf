variable "n" { type = number }
variable "golden" { type = string }

resource "terraform_data" "nothing" {
  count = var.n
  input = format("bench-%04d", count.index)
}
