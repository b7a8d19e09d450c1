// Package pipeline runs named stages in order with progress, journal and resume. It knows no stage.
//
// A stage that the journal holds as succeeded with the same inputs is skipped when its result still stands; the state that
// flows from stage to stage is kept in the journal after each one. Undo runs in reverse, from the stage that failed back to
// the first, those that an earlier run had done included; never when the run was canceled: a canceled job resumes.
package pipeline
