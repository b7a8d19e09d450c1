package api

import (
	"net/http"

	"github.com/hypersdk/terraform-provider-hypersdk/internal/sdk/migrate"
	"github.com/hypersdk/terraform-provider-hypersdk/internal/sdk/vsphere"
)

// routes is the whole index of the API. Those of the daemon itself ask for no role where they tell nothing about vCenter.
func (s *Server) routes() {
	const (
		get, post, put, patch, del = http.MethodGet, http.MethodPost, http.MethodPut, http.MethodPatch, http.MethodDelete
	)
	route(s, get, "/healthz", 0, "Whether the daemon lives", s.healthz)
	route(s, get, "/readyz", 0, "Whether the daemon can serve", s.readyz)

	route(s, post, "/auth/login", 0, "Exchange a token for a cookie", s.login)
	route(s, post, "/auth/logout", 0, "Make the cookie worthless", s.logout, status(http.StatusNoContent))
	route(s, get, "/auth/me", Viewer, "Who I am, and what I may do", s.whoami)
	route(s, post, "/auth/ticket", Viewer, "Get a ticket that opens one socket", s.ticket, about("It is good for 30 seconds."))
	route(s, get, "/audit", Admin, "The newest entries of the audit log", s.readAudit)

	list(s, "/vsphere/hosts", "List ESXi hosts", s.listHosts)
	route(s, get, "/vsphere/hosts/{name}", Viewer, "Get one ESXi host", s.getHost)
	list(s, "/vsphere/clusters", "List clusters", s.listClusters)
	route(s, get, "/vsphere/clusters/{name}", Viewer, "Get one cluster", s.getCluster)
	list(s, "/vsphere/datacenters", "List datacenters", s.listDatacenters)
	route(s, get, "/vsphere/datacenters/{name}", Viewer, "Get one datacenter", s.getDatacenter)
	route(s, get, "/vsphere/vcenter/info", Viewer, "vCenter information", s.getVCenter)

	list(s, "/vsphere/vms", "List VMs and templates", s.listVMs)
	route(s, get, "/vsphere/vms/{name}", Viewer, "Get one VM", s.getVM)
	route(s, patch, "/vsphere/vms/{name}", Operator, "Change a VM", s.changeVM, about("What the body does not name stays as it is."))
	route(s, del, "/vsphere/vms/{name}", Admin, "Delete a VM and its disks", s.deleteVM, status(http.StatusNoContent))
	route(s, post, "/vsphere/vms/{name}/power", Operator, "Power a VM on, off, or through its guest", s.powerVM)
	route(s, get, "/vsphere/vms/{name}/snapshots", Viewer, "List a VM's snapshots", s.listSnapshots)
	route(s, post, "/vsphere/vms/{name}/snapshots", Operator, "Take a snapshot", s.createSnapshot, status(http.StatusCreated))
	route(s, del, "/vsphere/vms/{name}/snapshots/{snapshot}", Admin, "Remove a snapshot", s.deleteSnapshot)
	route(s, post, "/vsphere/vms/{name}/snapshots/{snapshot}/revert", Admin, "Bring a VM back to a snapshot", s.revertSnapshot, status(http.StatusNoContent),
		about("What was written since is lost."))

	long := status(http.StatusAccepted)
	route(s, post, "/vsphere/clone", Operator, "Clone VM", s.cloneVM, long, accepted[CloneAnswer](s))
	route(s, post, "/vsphere/clone/bulk", Operator, "Bulk clone VMs", s.cloneBulk, long, accepted[vsphere.CloneBulkResult](s))
	route(s, post, "/vsphere/template/create", Operator, "Create template", s.createTemplate, long, accepted[TemplateAnswer](s))
	route(s, post, "/vsphere/template/deploy", Operator, "Deploy from template", s.deployTemplate, long, accepted[CloneAnswer](s))

	list(s, "/vsphere/pools", "List resource pools", s.listPools)
	route(s, get, "/vsphere/pools/{name}", Viewer, "Get one resource pool", s.getPool)
	route(s, post, "/vsphere/pools", Operator, "Create resource pool", s.createPool, status(http.StatusCreated))
	route(s, put, "/vsphere/pools/{name}", Operator, "Update resource pool", s.updatePool, about("What the body does not name stays as it is."))
	route(s, del, "/vsphere/pools/{name}", Admin, "Delete resource pool", s.deletePool, status(http.StatusNoContent))

	route(s, get, "/vsphere/metrics", Viewer, "Get performance metrics, of now or of the past", s.getMetrics)
	s.socket("/vsphere/metrics/stream", "Stream metrics, a message a sample", s.streamMetrics,
		queryParam("entity", "Name, inventory path or managed object id of what to look at", true),
		queryParam("type", "What it is: vm (the default), host or cluster", false),
		queryParam("counters", "Only these, with commas", false),
		queryParam("instance", "A disk, NIC or CPU, or * for each", false),
		queryParam("samples", "Begin with so many of the last hour, at most 180; default 1", false),
		queryParam("since", "Resume after the sample of this time", false))
	list(s, "/vsphere/events", "Get events, the newest first", s.listEvents)

	s.socket("/vsphere/events/stream", "Stream events, a message an event", s.streamEvents,
		queryParam("types", "Only these types, with commas", false),
		queryParam("severity", "Only these, with commas: info, user, warning, error", false),
		queryParam("entity", "Only of this object and what is in it", false),
		queryParam("recursion", "With entity: all (the default) or self", false),
		queryParam("user", "Only what this user caused", false),
		queryParam("since", "Resume after the event with this key, or begin at a time: 1h, RFC 3339; default now", false))

	route(s, post, "/preflight", Operator, "What a migration would do, and what would stop it", s.preflight)
	for _, path := range []string{"/jobs", "/jobs/submit"} {
		route(s, post, path, Operator, "Submit an export, a migration or any job", s.submitJob, long, submitBody(s), accepted[migrate.Result](s))
	}
	route(s, get, "/jobs", Viewer, "List jobs, the newest first", s.listJobs)
	s.socket("/jobs/stream", "Stream changes of jobs, a message a change", s.streamJobs,
		queryParam("kind", "Only of these kinds, with commas", false),
		queryParam("name", "Only of this name, a glob", false),
		queryParam("since", "Resume after this seq; default begins with every job there is", false))
	route(s, get, "/jobs/{id}", Viewer, "Get one job", s.getJob)
	route(s, get, "/jobs/{id}/logs", Viewer, "Read a job's log", s.jobLogs)
	route(s, get, "/jobs/{id}/artifacts/{name}", Viewer, "Download a file that a job made on this machine", s.artifact)
	route(s, post, "/jobs/{id}/cancel", Operator, "Cancel a job", s.cancelJob, about("One that runs is canceled when its worker has stopped."))
	route(s, post, "/jobs/{id}/retry", Operator, "Run a job again that has ended", s.retryJob, about("It goes on where it stopped."))
}
