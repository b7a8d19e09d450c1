import {
  to = hypersdk_template.golden
  id = "/DC1/vm/templates/golden-2026-11"
}
