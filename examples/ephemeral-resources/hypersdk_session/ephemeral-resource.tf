# A session for curl, for as long as Terraform runs; nothing of it is stored.
ephemeral "hypersdk_session" "this" {}

resource "terraform_data" "notes" {
  provisioner "local-exec" {
    command = "curl --silent --fail --insecure --cookie \"$COOKIE\" --output notes.vmx \"$SERVER/folder/web-01/web-01.vmx?dcPath=DC1&dsName=ds1\""
    environment = {
      COOKIE = ephemeral.hypersdk_session.this.cookie
      SERVER = trimsuffix(ephemeral.hypersdk_session.this.url, "/sdk")
    }
  }
}
