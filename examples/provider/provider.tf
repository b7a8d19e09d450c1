terraform {
  required_providers {
    hypersdk = {
      source = "hypersdk/hypersdk"
    }
  }
}

variable "vcenter_password" {
  type      = string
  sensitive = true
}

provider "hypersdk" {
  vsphere = {
    server   = "vc.example.com"
    username = "svc-migrate@vsphere.local"
    password = var.vcenter_password
    ca_file  = "/etc/ssl/vcenter-ca.pem"
  }
  libvirt = {
    uri = "qemu:///system"
  }
}
