// A modbus-serial server with the memory that the first line of the standard input gives, or a client that does what
// each line says.
//
// modbus_serial.js server|client tcp|rtu|rtu-tcp PORT|PATH UNIT
"use strict";
const readline = require("readline");
const ModbusRTU = require("modbus-serial");

const [role, mode, place, unit] = process.argv.slice(2);
const lines = readline.createInterface({ input: process.stdin });
const say = (o) => process.stdout.write(JSON.stringify(o) + "\n");

function serve(memory) {
    const get = (table) => (addr) => {
        if (addr >= memory[table].length) throw { modbusErrorCode: 2 };
        return memory[table][addr];
    };
    const set = (table) => (addr, value) => {
        get(table)(addr);
        memory[table][addr] = Number(value);
    };
    const vector = {
        getCoil: (addr) => Boolean(get("coil")(addr)),
        getDiscreteInput: (addr) => Boolean(get("discrete")(addr)),
        getHoldingRegister: (addr) => get("holding")(addr),
        getInputRegister: (addr) => get("input")(addr),
        setCoil: (addr, value) => set("coil")(addr, value),
        setRegister: (addr, value) => set("holding")(addr, value),
    };
    const server = mode === "tcp"
        ? new ModbusRTU.ServerTCP(vector, { host: "127.0.0.1", port: Number(place), unitID: memory.unit })
        : new ModbusRTU.ServerSerial(vector, {
            path: place, baudRate: 115200, unitID: memory.unit, openCallback: () => console.log("ready"),
        });
    server.on("initialized", () => mode === "tcp" && console.log("ready"));
    server.on("error", (e) => console.error(e));
    server.on("socketError", () => {});
    lines.on("close", () => process.exit(0));
}

async function call(client, { function: f, addr, count, words }) {
    const bits = (words || []).map(Boolean);
    switch (f) {
    case 1: return (await client.readCoils(addr, count)).data.slice(0, count).map(Number);
    case 2: return (await client.readDiscreteInputs(addr, count)).data.slice(0, count).map(Number);
    case 3: return (await client.readHoldingRegisters(addr, count)).data;
    case 4: return (await client.readInputRegisters(addr, count)).data;
    case 5: await client.writeCoil(addr, bits[0]); break;
    case 6: await client.writeRegister(addr, words[0]); break;
    case 15: await client.writeCoils(addr, bits); break;
    case 16: await client.writeRegisters(addr, words); break;
    }
    return undefined;
}

async function ask() {
    const client = new ModbusRTU();
    const port = { port: Number(place) };
    if (mode === "tcp") await client.connectTCP("127.0.0.1", port);
    else if (mode === "rtu-tcp") await client.connectTelnet("127.0.0.1", port); // its name for bare RTU frames
    else await client.connectRTUBuffered(place, { baudRate: 115200 });
    client.setID(Number(unit));
    client.setTimeout(5000);
    console.log("ready");
    for await (const line of lines) {
        try {
            say({ words: await call(client, JSON.parse(line)) });
        } catch (e) {
            say(e.modbusCode === undefined ? { error: String(e.message || e) } : { exception: e.modbusCode });
        }
    }
    process.exit(0);
}

if (role === "server") lines.once("line", (line) => serve(JSON.parse(line)));
else ask().catch((e) => { console.error(e); process.exit(1); });
