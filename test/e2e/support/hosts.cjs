'use strict';
// Loaded before a program: leads what it connects to, by the names of a cluster, to servers of a test. Certificates are
// still checked against the names.
const { Socket } = require('node:net');

const ports = new Map(Object.entries(JSON.parse(process.env.MEDIFORM_TEST_HOSTS ?? '{}')));
const connect = Socket.prototype.connect;

Socket.prototype.connect = function (...args) {
  // Node itself passes its arguments on in an array that it has marked
  const list = Array.isArray(args[0]) ? args[0] : args;
  const [options] = list;
  const port = typeof options === 'object' && options !== null && ports.get(`${options.host}:${options.port}`);
  if (port) {
    list[0] = { ...options, host: '127.0.0.1', port };
  }
  return connect.apply(this, args);
};
