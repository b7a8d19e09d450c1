locals {
  web = provider::hypersdk::parse_path("/DC1/vm/web/app%2f1")
}

output "app" {
  value = "${local.web.name} in ${local.web.parent}" # app/1 in /DC1/vm/web
}

output "datacenter" {
  value = local.web.datacenter # /DC1
}
