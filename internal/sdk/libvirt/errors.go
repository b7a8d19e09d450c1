package libvirt

import (
	"errors"
	"fmt"

	"github.com/hypersdk/terraform-provider-hypersdk/internal/sdk"
)

// errorCode is libvirt's virErrorNumber, which both bindings share. Only codes that decide something are named.
type errorCode int

// From libvirt's virterror.h.
const (
	codeNoSupport         errorCode = 3
	codeNoConnect         errorCode = 5
	codeInvalidConn       errorCode = 6
	codeInvalidArg        errorCode = 8
	codeOperationFailed   errorCode = 9
	codeXMLError          errorCode = 27
	codeDomainExists      errorCode = 28
	codeOperationDenied   errorCode = 29
	codeXMLDetail         errorCode = 35
	codeSystemError       errorCode = 38
	codeRPC               errorCode = 39
	codeNoDomain          errorCode = 42
	codeNoNetwork         errorCode = 43
	codeAuthFailed        errorCode = 45
	codeNoStoragePool     errorCode = 49
	codeNoStorageVolume   errorCode = 50
	codeOperationInvalid  errorCode = 55
	codeConfigUnsupported errorCode = 67
	codeOperationTimeout  errorCode = 68
	codeAuthCancelled     errorCode = 79
	codeAgentUnresponsive errorCode = 86
	codeResourceBusy      errorCode = 87
	codeAccessDenied      errorCode = 88
	codeVolumeExists      errorCode = 90
	codeXMLInvalidSchema  errorCode = 92
	codeAuthUnavailable   errorCode = 94
)

// libvirtError is an error that libvirt reported.
type libvirtError struct {
	code    errorCode
	message string
}

func (e *libvirtError) Error() string {
	if e.message == "" {
		return fmt.Sprintf("libvirt error %d", e.code)
	}
	return e.message
}

var kindOfCode = map[errorCode]error{
	codeNoDomain:          sdk.ErrNotFound,
	codeNoNetwork:         sdk.ErrNotFound,
	codeNoStoragePool:     sdk.ErrNotFound,
	codeNoStorageVolume:   sdk.ErrNotFound,
	codeOperationInvalid:  sdk.ErrConflict,
	codeDomainExists:      sdk.ErrConflict,
	codeVolumeExists:      sdk.ErrConflict,
	codeResourceBusy:      sdk.ErrConflict,
	codeAuthFailed:        sdk.ErrDenied,
	codeAuthCancelled:     sdk.ErrDenied,
	codeAuthUnavailable:   sdk.ErrDenied,
	codeAccessDenied:      sdk.ErrDenied,
	codeOperationDenied:   sdk.ErrDenied,
	codeNoConnect:         sdk.ErrUnavailable,
	codeInvalidConn:       sdk.ErrUnavailable,
	codeRPC:               sdk.ErrUnavailable,
	codeOperationTimeout:  sdk.ErrUnavailable,
	codeAgentUnresponsive: sdk.ErrUnavailable,
	codeInvalidArg:        sdk.ErrInvalid,
	codeXMLError:          sdk.ErrInvalid,
	codeXMLDetail:         sdk.ErrInvalid,
	codeXMLInvalidSchema:  sdk.ErrInvalid,
	codeConfigUnsupported: sdk.ErrInvalid,
}

// fromCode gives a libvirt error its kind, and a hint where there is one to give.
func fromCode(code errorCode, message string) error {
	var err error = &libvirtError{code: code, message: message}
	kind, known := kindOfCode[code]
	if !known {
		return err
	}
	err = sdk.Kind(kind, err)
	switch code {
	case codeNoConnect, codeInvalidConn, codeRPC:
		err = hintDaemon(err)
	case codeAuthFailed, codeAuthCancelled, codeAuthUnavailable, codeAccessDenied, codeOperationDenied:
		err = sdk.WithHint(err, "run as root or as a member of the group libvirt")
	default:
	}
	return err
}

// unsupported says whether the driver knows less than was asked: the call, or a flag of it.
func unsupported(err error) bool {
	e, ok := errors.AsType[*libvirtError](err)
	return ok && (e.code == codeNoSupport || e.code == codeInvalidArg)
}

// hintDaemon says what to do when no daemon answers.
func hintDaemon(err error) error {
	return sdk.WithHint(err, "is libvirtd running? scripts/setup-kvm-host.sh sets a host up")
}
