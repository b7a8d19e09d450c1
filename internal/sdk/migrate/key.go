package migrate

import (
	"crypto/sha256"
	"encoding/hex"
	"path/filepath"
	"strings"

	"github.com/google/uuid"
)

// namespace of the domain UUIDs that this program derives (UUID version 5, RFC 9562).
var namespace = uuid.MustParse("5c1b7c0e-9d0b-5f6e-8b60-6b1f0f6f2d11")

// workDir is the directory beside the artifacts that holds a directory for each job.
const workDir = ".hypersdk"

// JobKey is the same for the same VM, target and name, whoever asks: an interrupted job is found again by it.
func JobKey(vcenterUUID, instanceUUID, targetURI, name string) string {
	sum := sha256.Sum256([]byte(strings.Join([]string{vcenterUUID, instanceUUID, targetURI, name}, "\x00")))
	return hex.EncodeToString(sum[:16])
}

// DomainUUID derives the domain's UUID (version 5) from the job key, so that it is known before any work.
func DomainUUID(jobKey string) string {
	return uuid.NewSHA1(namespace, []byte(jobKey)).String()
}

// JobDir is where a job keeps its journal, overlays, console log and report.
func JobDir(dir, jobKey string) string { return filepath.Join(dir, workDir, jobKey) }

// fileBase turns a VM's name into the base name of files: vSphere's escapes for slash, backslash and percent are undone, and
// what a file name cannot hold becomes a dash.
func fileBase(name string) string {
	name = strings.NewReplacer("%2f", "/", "%2F", "/", "%5c", `\`, "%5C", `\`, "%25", "%").Replace(name)
	name = strings.Map(func(r rune) rune {
		if r < 0x20 || r == 0x7f || r == '/' || r == '\\' {
			return '-'
		}
		return r
	}, name)
	return strings.TrimLeft(name, ".-")
}
