/** What goes to the server, one message for each turn of the browser's loop. */

/** @type {(() => void)[]} */
const messages = [];
let sending = false;

/**
 * Send the server something for a fragment, and nothing else with it. Streamlit gathers what is set within one turn of
 * the browser's loop into one message, and runs only the fragment of the first: so each of ours has a turn to itself.
 * @param {() => void} send  sets a state value
 */
export function sendAlone(send) {
  messages.push(send);
  if (!sending) next();
}

function next() {
  const send = messages.shift();
  sending = Boolean(send);
  if (!send) return;
  send();
  setTimeout(next); // comes after the timer, set just now, in which Streamlit sends
}
