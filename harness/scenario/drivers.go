package scenario

// The names of the drivers, as they stand in console blocks, in the ids of cases and in reports.
const (
	IPRoute2Driver = "iproute2"
	NetlinkDriver  = "netlink"
	BusyboxDriver  = "busybox"
)

// DriverNames are all of them, in the order in which they play a scenario.
func DriverNames() []string { return []string{IPRoute2Driver, NetlinkDriver, BusyboxDriver} }
