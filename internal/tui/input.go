package tui

import "charm.land/bubbles/v2/textinput"

// newInput is a line to type in. Its cursor does not blink: that would draw for nobody.
func newInput(text string) textinput.Model {
	in := textinput.New()
	in.Prompt = ""
	style := textinput.DefaultDarkStyles()
	style.Cursor.Blink = false
	plain := style.Focused.Text.UnsetForeground()
	style.Focused.Text, style.Focused.Prompt, style.Blurred.Text, style.Blurred.Prompt = plain, plain, plain, plain
	in.SetStyles(style)
	in.SetValue(text)
	in.CursorEnd()
	in.Focus() // its command would make the cursor blink
	return in
}
