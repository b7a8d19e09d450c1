package proc

import (
	"os"
	"os/exec"
)

// Windows has neither process groups nor a polite signal: the tool itself is killed.

func leadGroup(*exec.Cmd) {}

func terminateGroup(p *os.Process) { _ = p.Kill() }

func killGroup(p *os.Process) { _ = p.Kill() }

func signalName(*os.ProcessState) string { return "" }
