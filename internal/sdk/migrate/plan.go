package migrate

import (
	"fmt"

	"github.com/hypersdk/terraform-provider-hypersdk/internal/sdk/export"
	"github.com/hypersdk/terraform-provider-hypersdk/internal/sdk/pipeline"
)

// stage is a pipeline stage that can say in one line what it will do.
type stage interface {
	pipeline.Stage[State]
	Does(j *job) string
}

// stages lists what a migration does, in order. The first three are the export; what follows works on its result.
func stages(j *job) []stage {
	var list []stage
	add := func(when bool, s stage) {
		if when {
			list = append(list, s)
		}
	}
	spec := j.spec
	target := spec.Target != nil && spec.Until == UntilCutover
	pipe := spec.Pipeline
	if pipe == nil {
		pipe = &PipelineSpec{}
	}
	add(spec.SourceAfter == AfterPoweredOff || spec.SourceAfter == AfterDisconnected, shutdownStage{})
	add(true, exportStage{})
	add(spec.Manifest, manifestStage{})
	add(pipe.Inspect || pipe.Fix && pipe.Engine == EngineBuiltin, inspectStage{})
	add(pipe.Fix, fixStage{})
	add(pipe.Validate, validateStage{})
	add(target, defineStage{})
	add(target && spec.Verify.Boot != "none", bootStage{})
	add(pipe.Fix && !pipe.DryRun && (target || spec.Target == nil), commitStage{})
	add(target && spec.SourceAfter == AfterDisconnected, sourceStage{})
	add(target && spec.Target.Power == PowerOn, startStage{})
	return list
}

// asPipeline adapts the list.
func asPipeline(list []stage) []pipeline.Stage[State] {
	out := make([]pipeline.Stage[State], len(list))
	for i, s := range list {
		out[i] = s
	}
	return out
}

// afterExport says whether a stage comes after the export: its failure leaves the export whole.
func afterExport(name string) bool { return name != stageShutdown && name != stageExport }

func plural(n int, noun string) string {
	if n == 1 {
		return "1 " + noun
	}
	return fmt.Sprintf("%d %ss", n, noun)
}

func describeCompression(c export.Compression) string {
	switch c.Mode {
	case export.Uncompressed:
		return "uncompressed"
	case export.Deflate, export.Zstd:
		if c.Level > 0 {
			return fmt.Sprintf("recompressed, %s level %d", c.Mode, c.Level)
		}
		return "recompressed, " + string(c.Mode)
	case export.PassThrough:
	}
	return "compressed as served"
}
