package vsphere

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"net/url"
	"reflect"
	"strings"

	"github.com/vmware/govmomi/vim25/soap"
	"github.com/vmware/govmomi/vim25/types"

	"github.com/hypersdk/terraform-provider-hypersdk/internal/sdk"
)

// classify attaches a kind to an error of govmomi's, by its type. It is called where such errors enter: after every SOAP
// call, every finished task and every transfer. Cancellation by the caller stays what it is.
func classify(err error) error {
	if err == nil || errors.Is(err, context.Canceled) {
		return err
	}
	if untrusted, ok := errors.AsType[*untrustedError](err); ok {
		return sdk.WithHint(sdk.Kind(sdk.ErrDenied, untrusted),
			"its SHA-256 thumbprint is %s; when that is your vCenter's, give it as the thumbprint, or the CA that signed it as the CA file",
			untrusted.thumbprint)
	}
	if fault := faultOf(err); fault != nil {
		return classifyFault(err, fault)
	}
	if isNetwork(err) {
		return sdk.Kind(sdk.ErrUnavailable, err)
	}
	return err
}

// faultError is a fault with its text and without the SOAP code that govmomi puts before it.
type faultError struct {
	text  string
	fault types.BaseMethodFault
	cause error
}

func (e *faultError) Error() string                { return e.text }
func (e *faultError) Unwrap() error                { return e.cause }
func (e *faultError) Fault() types.BaseMethodFault { return e.fault }

func faultOf(err error) types.BaseMethodFault {
	var f interface{ Fault() types.BaseMethodFault }
	if errors.As(err, &f) {
		return f.Fault()
	}
	return nil
}

func isFault[T types.BaseMethodFault](err error) bool {
	_, ok := faultOf(err).(T)
	return ok
}

func classifyFault(err error, fault types.BaseMethodFault) error {
	wrapped := &faultError{text: faultText(err, fault), fault: fault, cause: err}
	switch f := fault.(type) {
	case *types.NoPermission:
		wrapped.text = noPermissionText(f)
		return sdk.WithHint(sdk.Kind(sdk.ErrDenied, wrapped),
			"grant the privilege to the user's role on that object, or use another user")
	case types.BaseInvalidLogin, *types.NotAuthenticated, *types.InvalidLocale, types.BaseSecurityError:
		return sdk.Kind(sdk.ErrDenied, wrapped)
	case *types.ManagedObjectNotFound:
		wrapped.text = fmt.Sprintf("%s %s does not exist", f.Obj.Type, f.Obj.Value)
		return sdk.Kind(sdk.ErrNotFound, wrapped)
	case *types.InvalidPowerState:
		wrapped.text = fmt.Sprintf("the power state is %s", f.ExistingState)
		if f.RequestedState != "" {
			wrapped.text += fmt.Sprintf(", not %s", f.RequestedState)
		}
		return sdk.Kind(sdk.ErrConflict, wrapped)
	case *types.DuplicateName:
		wrapped.text = fmt.Sprintf("the name %q is taken", unescapeName(f.Name))
		return sdk.Kind(sdk.ErrConflict, wrapped)
	case types.BaseInvalidState, types.BaseTaskInProgress, *types.AlreadyExists,
		*types.FileLocked, *types.FileAlreadyExists, *types.ResourceInUse, *types.ConcurrentAccess:
		return sdk.Kind(sdk.ErrConflict, wrapped)
	case *types.InsufficientCpuResourcesFault:
		wrapped.text = fmt.Sprintf("%d MHz of CPU are asked for and %d MHz are unreserved", f.Requested, f.Unreserved)
		return sdk.Kind(sdk.ErrConflict, wrapped)
	case *types.InsufficientMemoryResourcesFault:
		wrapped.text = fmt.Sprintf("%d MB of memory are asked for and %d MB are unreserved", f.Requested>>20, f.Unreserved>>20)
		return sdk.Kind(sdk.ErrConflict, wrapped)
	case types.BaseInsufficientResourcesFault:
		return sdk.Kind(sdk.ErrConflict, wrapped)
	case types.BaseHostCommunication, types.BaseHostConnectFault, *types.Timedout:
		return sdk.Kind(sdk.ErrUnavailable, wrapped)
	case types.BaseInvalidArgument, *types.InvalidName:
		return sdk.Kind(sdk.ErrInvalid, wrapped)
	}
	return wrapped
}

// faultText is what the server said, else the fault's own name.
func faultText(err error, fault types.BaseMethodFault) string {
	if soap.IsSoapFault(err) {
		if s := soap.ToSoapFault(err).String; s != "" {
			return strings.TrimSuffix(s, ".")
		}
	} else if s := err.Error(); s != "" {
		return strings.TrimSuffix(s, ".")
	}
	return reflect.TypeOf(fault).Elem().Name()
}

func noPermissionText(f *types.NoPermission) string {
	var missing []string
	for _, entity := range f.MissingPrivileges {
		missing = append(missing, entity.PrivilegeIds...)
	}
	if len(missing) == 0 && f.PrivilegeId != "" {
		missing = []string{f.PrivilegeId}
	}
	text := "no permission"
	if len(missing) > 0 {
		text += ": privilege " + strings.Join(missing, ", ") + " is missing"
	}
	if f.Object != nil {
		text += fmt.Sprintf(" on %s %s", f.Object.Type, f.Object.Value)
	}
	return text
}

func isNetwork(err error) bool {
	if _, ok := errors.AsType[*url.Error](err); ok {
		return true
	}
	if _, ok := errors.AsType[net.Error](err); ok {
		return true
	}
	return errors.Is(err, io.EOF) || errors.Is(err, io.ErrUnexpectedEOF)
}

// notFound is the fault for an object that is gone.
func notFound(ref types.ManagedObjectReference) error {
	return soap.WrapVimFault(&types.ManagedObjectNotFound{Obj: ref})
}
