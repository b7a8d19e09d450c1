import { createTheme, type CSSVariablesResolver, type MantineColorsTuple } from "@mantine/core";

const sea: MantineColorsTuple = ["#e3fafc", "#c5f0f5", "#99e2ea", "#66d2de", "#3bc1d0", "#1aa9ba", "#0f8fa0", "#0b7285", "#095c6b", "#064451"];

export const theme = createTheme({
  primaryColor: "sea",
  primaryShade: { light: 7, dark: 5 },
  colors: { sea },
  fontFamily: "system-ui, -apple-system, 'Segoe UI', Roboto, 'Liberation Sans', sans-serif",
  fontFamilyMonospace: "ui-monospace, SFMono-Regular, Menlo, 'Liberation Mono', monospace",
  defaultRadius: "md",
  autoContrast: true,
});

/** What plots and states are drawn with: told apart by lightness too, so that no colour has to be seen. */
export const variables: CSSVariablesResolver = () => ({
  variables: {},
  light: { "--good": "#2b8a3e", "--warn": "#b35c00", "--bad": "#c92a2a", "--calm": "#5c677a", "--plot-1": "#0b7285", "--plot-2": "#c2410c", "--grid": "#e3e6ea" },
  dark: { "--good": "#69db7c", "--warn": "#ffc078", "--bad": "#ff8787", "--calm": "#a6b0bf", "--plot-1": "#3bc9db", "--plot-2": "#ffa94d", "--grid": "#33373d" },
});
