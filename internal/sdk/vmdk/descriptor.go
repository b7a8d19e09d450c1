package vmdk

import "fmt"

// descriptor renders the text that ESXi puts into a stream: one extent, and a geometry as VMware's BIOS computes it. The
// content id is the one of a disk never opened for writing, so that equal input gives an equal stream.
func (s WriterSpec) descriptor() string {
	sectors := s.CapacityBytes / sector
	heads, perTrack := int64(255), int64(63)
	switch {
	case s.CapacityBytes < 1<<30:
		heads, perTrack = 64, 32
	case s.CapacityBytes < 2<<30:
		heads, perTrack = 128, 32
	}
	return fmt.Sprintf(`# Disk DescriptorFile
version=1
encoding="UTF-8"
CID=fffffffe
parentCID=ffffffff
createType="streamOptimized"

# Extent description
RDONLY %d SPARSE "call-me-stream.vmdk"

# The Disk Data Base
#DDB

ddb.adapterType = "%s"
ddb.geometry.cylinders = "%d"
ddb.geometry.heads = "%d"
ddb.geometry.sectors = "%d"
ddb.virtualHWVersion = "13"
`, sectors, s.Adapter, max(1, sectors/(heads*perTrack)), heads, perTrack)
}
