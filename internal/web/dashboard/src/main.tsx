import "@mantine/core/styles.css";
import "uplot/dist/uPlot.min.css";
import "./style.css";
import { MantineProvider } from "@mantine/core";
import { setNonce } from "get-nonce";
import { createRoot } from "react-dom/client";
import { App } from "./app";
import { theme, variables } from "./theme";

const nonce = document.querySelector<HTMLMetaElement>('meta[property="csp-nonce"]')?.nonce ?? "";
setNonce(nonce); // for the styles that a dialog adds while it is open
const root = document.getElementById("root");
if (!root) throw new Error("the page has no root");
createRoot(root).render(
  <MantineProvider theme={theme} cssVariablesResolver={variables} defaultColorScheme="auto" getStyleNonce={() => nonce}>
    <App />
  </MantineProvider>,
);
